//! Prints lists of many pages.

use clap::Args;
use eset_protect::Client;
use indicatif::ProgressDrawTarget;

use crate::calls;
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
