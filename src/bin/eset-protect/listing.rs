//! Prints lists of many pages.

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Args;
use eset_protect::Client;
use eset_protect::rpc::Rpc;
use indicatif::{ProgressBar, ProgressStyle};

use crate::calls;
use crate::check::{Flags, check};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::method::Method;
use crate::output::{Format, Output};
use crate::request::Request;
use crate::response::{noun, parse};
use crate::table::Table;
use crate::text::{count, plural};

#[derive(Args, Clone, Copy, Debug)]
pub struct Limit {
    /// List no more than this many; all by default
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

#[derive(Args, Debug)]
pub struct Paging {
    /// The number of items per page; all pages are listed in any case
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 1000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub page_size: u32,
    #[command(flatten)]
    pub limit: Limit,
}

/// Checks a request, makes the call, and prints everything that it lists.
pub fn run<R: Rpc>(
    connection: Connection,
    request: &R::Request,
    flags: Flags<'_>,
    limit: Limit,
) -> Result<(), Failure> {
    let method = Method::of::<R>()?;
    let request = Request::new(&method, request)?;
    check(&request, flags)?;
    connection
        .run(async |client, format| print(&client, format, &method, &request.json, limit).await)
}

/// Prints everything that a call lists. JSON is printed page by page, as it comes.
pub async fn print(
    client: &Client,
    format: Format,
    method: &Method,
    request: &str,
    limit: Limit,
) -> Result<(), Failure> {
    let mut output = Output::new();
    let Some(field) = method.item() else {
        return Err(Failure::Other(format!("{} lists nothing", method.spec.method)));
    };
    let noun = noun(method);
    // On a terminal, the lines themselves show the progress.
    let shows_lines = format == Format::Json && output.is_terminal;
    let progress = Progress::new(&noun, !shows_lines && io::stderr().is_terminal());
    let mut table = Table::of(&field, output.is_terminal);
    let mut left = limit.limit.unwrap_or(usize::MAX);
    let mut pages = calls::pages(client, method, request)?;
    while left > 0
        && let Some(page) = pages.next().await
    {
        let mut page = page?;
        page.truncate(left);
        left -= page.len();
        progress.add(page.len());
        for item in page {
            match format {
                Format::Table => table.push(&parse(&item)?),
                Format::Json => output.line(&item)?,
            }
        }
        if format == Format::Json {
            output.flush()?;
        }
    }
    drop(progress);
    if format == Format::Table {
        table.print(&mut output, &plural(&noun))?;
    }
    output.flush()
}

/// A spinner with a count on standard error. Disappears when dropped.
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
