//! Makes the calls of a bulk.

use std::ops::ControlFlow;
use std::pin::pin;

use eset_protect::{Client, Error};

use super::bar::Bar;
use super::failed_file::FailedFile;
use super::item::Item;
use super::outcomes::{Outcome, Outcomes, UNCLEAR};
use super::printer::Printer;
use crate::calls::{self, Response};
use crate::failure::{self, Failure};
use crate::method::Method;
use crate::safety::Safety;
use crate::say::{say, say_error};
use crate::stop_signal::interruption;

/// The state while calls are made.
pub struct Execution<'a> {
    pub method: &'a Method,
    pub items: &'a [Item],
    pub outcomes: Outcomes,
    pub printer: Printer,
    pub bar: Bar,
    pub safety: Safety,
    pub failed: Option<FailedFile>,
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
        let item = self.items.get(index);
        let name = item.map(|item| &*item.name).unwrap_or_default();
        let is_ok = result.as_ref().map_or_else(|error| self.safety.ignores(error), |_| true);
        self.bar.advance(is_ok);
        match result {
            Ok(answer) => {
                self.outcomes.set(index, Outcome::Done);
                self.bar.aside(|| self.printer.take(index, name, Some(answer)));
                ControlFlow::Continue(())
            }
            Err(error) if self.safety.ignores(&error) => {
                self.outcomes.set(index, Outcome::Gone);
                self.printer.take(index, name, None);
                ControlFlow::Continue(())
            }
            Err(error) => {
                let is_safe =
                    self.method.spec.idempotency.is_idempotent() || !error.may_have_executed();
                if let (Some(failed), Some(item), true) = (&mut self.failed, item, is_safe) {
                    failed.add(&item.line);
                }
                self.bar.aside(|| {
                    say_error(&described(self.method, name, &error));
                    self.printer.take(index, name, None);
                });
                let is_hopeless = error.is_unauthenticated();
                self.outcomes.set(index, Outcome::Failed(Box::new(error)));
                if is_hopeless { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
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
