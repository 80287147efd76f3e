//! Makes many calls of one RPC.

mod bar;
mod execution;
mod item;
mod left;
mod options;
mod outcomes;
mod printer;

use std::path::PathBuf;

use eset_protect::Client;

use crate::connection::Connection;
use crate::dry_run;
use crate::failure::Failure;
use crate::method::Method;
use crate::named;
use crate::output::View;
use crate::phrase::object;
use crate::text::count;
use bar::Bar;
use execution::Execution;
pub use item::Item;
use left::Left;
pub use options::BulkOptions;
use outcomes::Outcomes;
use printer::Printer;

/// Makes a call for each item, reports failures, and prints the responses in the order of the items.
///
/// Failures stop nothing, with one exception: without a valid login all other calls would fail too, and
/// repeated wrong logins lock an account. The first Ctrl-C lets current calls finish; the second stops at
/// once.
#[derive(Debug)]
pub struct Bulk {
    pub method: Method,
    pub items: Vec<Item>,
    pub options: BulkOptions,
    /// The file that the items are from.
    pub input: Option<PathBuf>,
    /// The verb for the summary, such as `deleted`.
    pub verb: String,
    /// What is said of each whose response is empty, before its name, such as `Deleted the task`.
    pub done: String,
}

impl Bulk {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let is_idempotent = self.method.spec.idempotency.is_idempotent();
        let left = Left::open(&self.options, self.input.as_deref(), is_idempotent)?;
        connection.run(async |client, view| self.calls(&client, view, left).await)
    }

    async fn calls(mut self, client: &Client, view: &View, left: Left) -> Result<(), Failure> {
        view.expect_rows_if_sorted()?;
        let requests = self.items.iter_mut().map(|item| &mut item.request).collect();
        named::resolve(client, &self.method, requests).await?;
        if view.safety.dry_run {
            return self
                .items
                .iter()
                .try_for_each(|item| dry_run::print(view, &self.method, &item.request));
        }
        let several = count(self.items.len(), &object(&self.method));
        view.safety.confirm(&self.method, several, self.items.len() > 1)?;
        let is_reading = self.method.is_reading();
        let mut execution = Execution {
            method: &self.method,
            items: &self.items,
            outcomes: Outcomes::new(self.items.len()),
            printer: Printer::new(view, self.method.clone(), self.done)?,
            bar: Bar::new(self.items.len()),
            safety: view.safety,
            left,
        };
        execution.left.begin()?;
        execution.calls(client, self.options.concurrency).await?;
        execution.leave();
        let Execution { outcomes, printer, bar, left, .. } = execution;
        drop(bar);
        let printed = printer.end(client).await;
        if is_reading && printed.is_err() {
            return printed;
        }
        let written = left.end();
        let Err(failure) = outcomes.end(&self.verb) else { return written.and(printed) };
        for other in [written, printed].into_iter().filter_map(Result::err) {
            other.report();
        }
        Err(failure)
    }
}
