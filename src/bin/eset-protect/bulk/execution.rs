//! Makes the calls of a bulk.

use std::ops::ControlFlow;
use std::pin::pin;

use eset_protect::{Client, Error};

use super::bar::Bar;
use super::item::Item;
use super::left::Left;
use super::outcomes::{Outcome, Outcomes, UNCLEAR};
use super::printer::{Printed, Printer};
use crate::calls::{self, Response};
use crate::failure::{self, Failure};
use crate::method::Method;
use crate::safety::Safety;
use crate::say::say;
use crate::stop_signal::interruption;

/// The state while calls are made.
pub struct Execution<'a> {
    pub method: &'a Method,
    pub items: &'a [Item],
    pub outcomes: Outcomes,
    pub printer: Printer,
    pub bar: Bar,
    pub safety: Safety,
    pub left: Left,
}

impl Execution<'_> {
    /// Makes the calls until all are done or the user stops.
    pub async fn calls(
        &mut self,
        client: &Client,
        concurrency: Option<usize>,
    ) -> Result<(), Failure> {
        let requests: Vec<_> = self.items.iter().map(|item| &*item.request).collect();
        let mut calls = calls::bulk(client, self.method, &requests, concurrency)?;
        let mut stopped = pin!(interruption(true)?);
        loop {
            tokio::select! {
                biased;
                () = &mut stopped => {
                    if self.outcomes.is_interrupted {
                        return Ok(());
                    }
                    stopped.set(interruption(false)?);
                    self.outcomes.interrupt(calls.stop());
                    self.bar.aside(|| say("stopping; press Ctrl-C again to stop at once"));
                }
                () = self.bar.is_due() => self.bar.show(),
                response = calls.next() => {
                    let Some(response) = response else { return Ok(()) };
                    if self.take(response).is_break() {
                        self.outcomes.leave(calls.stop());
                    }
                    if self.method.is_reading() && self.printer.is_broken() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Records the result of a call. Breaks if all others would fail too.
    fn take(&mut self, (index, result): Response) -> ControlFlow<()> {
        let Some(item) = self.items.get(index) else { return ControlFlow::Continue(()) };
        let is_hopeless = result.as_ref().is_err_and(Error::is_unauthenticated);
        let (outcome, printed) = match result {
            Ok(answer) => (Outcome::Done, Printed::Answer(answer)),
            Err(error) if self.safety.ignores(&error) => (Outcome::Gone, Printed::Nothing),
            Err(error) => {
                let error_line = described(self.method, &item.name, &error);
                (Outcome::Failed(Box::new(error)), Printed::Error(error_line))
            }
        };
        self.bar.advance(!matches!(outcome, Outcome::Failed(_)));
        self.left.add(item, &outcome);
        self.outcomes.set(index, outcome);
        self.bar.aside(|| self.printer.take(index, &item.name, printed));
        if is_hopeless { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Records the items whose calls did not end.
    pub fn leave(&mut self) {
        for (index, (item, outcome)) in self.items.iter().zip(self.outcomes.all()).enumerate() {
            if matches!(outcome, Outcome::UnderWay | Outcome::NotBegun) {
                self.left.add(item, outcome);
            }
            if matches!(outcome, Outcome::UnderWay) {
                let line = format!("{}: stopped while it was under way; {UNCLEAR}", item.name);
                self.printer.take(index, &item.name, Printed::Error(line));
            }
        }
    }
}

/// Describes a failure in one line.
fn described(method: &Method, name: &str, error: &Error) -> String {
    let mut text = format!("{name}: {}", failure::headline(error));
    for violation in failure::field_violations(error) {
        text.push_str(&format!("; {violation}"));
    }
    let attempts = (error.attempts() > 1).then(|| failure::attempts(error));
    let id = error.request_id().map(|id| format!("request-id {id}"));
    let notes: Vec<_> = attempts.into_iter().chain(id).collect();
    if !notes.is_empty() {
        text.push_str(&format!(" ({})", notes.join(", ")));
    }
    if error.may_have_executed() && !method.spec.idempotency.is_idempotent() {
        text.push_str(&format!("; {UNCLEAR}"));
    }
    text
}
