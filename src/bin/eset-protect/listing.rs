//! Prints lists of many pages.

use clap::Args;
use eset_protect::Client;
use eset_protect::rpc::Rpc;
use indicatif::ProgressDrawTarget;

use crate::calls;
use crate::check::{Flags, checked};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::method::Method;
use crate::output::{Format, Output};
use crate::progress::Progress;
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
    let (method, request) = checked::<R>(request, flags)?;
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
    let target = match shows_lines {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    };
    let progress = Progress::new("{spinner} {msg} {elapsed}", None, target);
    let mut listed = 0;
    let mut table = Table::of(&field, output.is_terminal);
    let most = limit.limit.unwrap_or(usize::MAX);
    let mut pages = calls::pages(client, method, request)?;
    progress.set_message(count(listed, &noun));
    while listed < most
        && let Some(page) = pages.next().await
    {
        let mut page = page?;
        page.truncate(most - listed);
        listed += page.len();
        progress.set_message(count(listed, &noun));
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
