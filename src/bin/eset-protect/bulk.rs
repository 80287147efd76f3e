//! Many calls of one RPC.

mod bar;
mod failed_file;
mod item;
mod options;
mod outcomes;
mod printer;
mod run;

use eset_protect::Client;
use eset_protect::rpc::Rpc;

use crate::details::Details;
use crate::failure::Failure;
use crate::output::Format;
use bar::Bar;
pub use item::Item;
pub use options::{BulkOptions, BulkSettings};
use outcomes::Outcomes;
pub use printer::What;
use printer::{Printer, Unprinted};
use run::{Run, is_reading};

/// Makes a call for each item, says which fail, and prints the answers in the order of the items.
///
/// Failures stop nothing, except one: without a login that the service takes no other call would be
/// answered either, and many wrong logins lock an account. The first Ctrl-C lets the calls under way
/// come to their ends, the second waits for none of them.
#[derive(Debug)]
pub struct Bulk<R: Rpc, T> {
    items: Vec<Item<R::Request>>,
    settings: BulkSettings,
    /// What was done in the end, such as `deleted`.
    verb: &'static str,
    what: What<R::Response, T>,
}

impl<R: Rpc, T: Details> Bulk<R, T> {
    pub fn new(
        items: Vec<Item<R::Request>>,
        settings: BulkSettings,
        verb: &'static str,
        what: What<R::Response, T>,
    ) -> Self {
        Self { items, settings, verb, what }
    }

    pub async fn run(mut self, client: Client, format: Format) -> Result<(), Failure> {
        self.settings.begin()?;
        let mut run = Run::<R, T> {
            items: &self.items,
            outcomes: Outcomes::new(self.items.len()),
            printer: Printer::new(format, self.what, !is_reading::<R>()),
            bar: Bar::new(self.items.len()),
        };
        run.calls(&client, self.settings.concurrency()).await?;
        let Run { outcomes, printer, bar, .. } = run;
        bar.end();
        outcomes.say_under_way(&self.items);
        let printed = printer.end();
        if is_reading::<R>() && printed.is_err() {
            return printed.map_err(|unprinted| unprinted.failure);
        }
        let printed = printed.map_err(Unprinted::say);
        let to_repeat = outcomes.to_repeat(&self.items, R::SPEC.idempotency.is_idempotent());
        let written = self.settings.write_failed(to_repeat);
        let Err(failure) = outcomes.end(self.verb) else { return written.and(printed) };
        for other in [written, printed].into_iter().filter_map(Result::err) {
            other.report();
        }
        Err(failure)
    }
}
