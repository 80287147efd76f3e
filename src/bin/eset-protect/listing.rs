//! Lists of many pages.

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Args;
use eset_protect::Call;
use eset_protect::rpc::PagedRpc;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Format, Output};
use crate::table::{Row, Table};
use crate::text::{count, plural};

#[derive(Args, Debug)]
pub struct Paging {
    /// How many to ask for at once; all pages are listed in any case
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 1000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub page_size: u32,
}

/// Prints everything that a call lists. JSON is printed page by page, as it comes. `what` is the
/// name of one.
pub async fn print<R>(call: Call<R>, format: Format, what: &str) -> Result<(), Failure>
where
    R: PagedRpc,
    R::Item: Row + Serialize,
{
    let mut output = Output::new();
    // On a terminal the lines themselves show that it goes on.
    let shows_lines = format == Format::Json && output.is_terminal;
    let progress = Progress::new(what, !shows_lines && io::stderr().is_terminal());
    let mut table = Table::new::<R::Item>(output.is_terminal);
    let mut pages = call.pages();
    while let Some(page) = pages.next().await {
        let items = R::items(page?);
        progress.add(items.len());
        for item in items {
            match format {
                Format::Table => table.push(&item),
                Format::Json => output.json(&item)?,
            }
        }
        if format == Format::Json {
            output.flush()?;
        }
    }
    drop(progress);
    if format == Format::Table {
        table.print(&mut output, &plural(what))?;
    }
    output.flush()
}

/// A spinner with a count, on standard error. It vanishes when it is dropped.
struct Progress {
    bar: ProgressBar,
    what: String,
}

impl Progress {
    fn new(what: &str, shown: bool) -> Self {
        let bar = if shown { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        let progress = Self { bar, what: what.to_owned() };
        progress.add(0);
        progress
    }

    fn add(&self, number: usize) {
        self.bar.inc(number as u64);
        let number = usize::try_from(self.bar.position()).unwrap_or(usize::MAX);
        self.bar.set_message(count(number, &self.what));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
