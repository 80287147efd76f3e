//! Makes many calls of one RPC.

mod bar;
mod execution;
mod failed_file;
mod item;
mod options;
mod outcomes;
mod printer;
mod uncertain_file;

use std::path::PathBuf;

use eset_protect::Client;

use crate::connection::Connection;
use crate::devices;
use crate::dry_run;
use crate::failure::Failure;
use crate::method::Method;
use crate::output::View;
use crate::phrase::object;
use crate::text::count;
use bar::Bar;
use execution::Execution;
use failed_file::FailedFile;
pub use item::Item;
pub use options::BulkOptions;
use outcomes::Outcomes;
use printer::Printer;
use uncertain_file::UncertainFile;

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
        let (failed, uncertain) = (self.options.failed.as_deref(), &self.options.uncertain);
        let failed =
            failed.map(|path| FailedFile::open(path, self.input.as_deref())).transpose()?;
        let uncertain = uncertain.as_deref().map(UncertainFile::open).transpose()?;
        connection.run(async |client, view| self.calls(&client, view, failed, uncertain).await)
    }

    async fn calls(
        mut self,
        client: &Client,
        view: &View,
        failed: Option<FailedFile>,
        uncertain: Option<UncertainFile>,
    ) -> Result<(), Failure> {
        view.expect_rows_if_sorted()?;
        let requests = self.items.iter_mut().map(|item| &mut item.request).collect();
        devices::resolve(client, &self.method, requests).await?;
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
            failed,
        };
        execution.failed.iter_mut().try_for_each(FailedFile::begin)?;
        execution.calls(client, self.options.concurrency).await?;
        let Execution { outcomes, printer, bar, failed, .. } = execution;
        drop(bar);
        outcomes.say_under_way(&self.items);
        let printed = printer.end(client).await;
        if is_reading && printed.is_err() {
            return printed;
        }
        let to_repeat = outcomes.to_repeat(&self.items, &self.method);
        let written = failed.map_or(Ok(()), |failed| failed.write(to_repeat));
        let to_look_for = outcomes.uncertain(&self.items, &self.method);
        let written = written.and(uncertain.map_or(Ok(()), |file| file.add(to_look_for)));
        let Err(failure) = outcomes.end(&self.verb) else { return written.and(printed) };
        for other in [written, printed].into_iter().filter_map(Result::err) {
            other.report();
        }
        Err(failure)
    }
}
