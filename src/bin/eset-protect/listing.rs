//! Prints lists of many pages.

use clap::Args;
use eset_protect::Client;
use futures_util::StreamExt;
use indicatif::ProgressDrawTarget;

use crate::calls;
use crate::failure::Failure;
use crate::item_filter::ItemFilter;
use crate::items::Items;
use crate::method::Method;
use crate::output::View;
use crate::progress::progress;
use crate::response::noun;
use crate::text::{count, plural};

#[derive(Args, Clone, Copy, Debug)]
pub struct Limit {
    /// List no more than this many; all by default. With --sort, the first of the sorted list
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = limit)]
    limit: Option<usize>,
}

fn limit(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a whole number, 0 or more".to_owned())
}

/// Prints everything that a call lists. JSON is printed page by page, as it comes.
pub async fn print(
    client: &Client,
    view: &View,
    method: &Method,
    request: &str,
    filter: Option<&ItemFilter>,
    limit: Limit,
) -> Result<(), Failure> {
    let limit = limit.limit.unwrap_or(usize::MAX);
    let mut items = Items::of(&method.items()?, view)?;
    items.limit = limit;
    let noun = noun(method);
    // On a terminal, the lines themselves show the progress.
    let shows_lines = view.streams() && items.output.is_terminal;
    let target = match shows_lines {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    };
    let progress = progress("{spinner} {msg} {elapsed}", None, target);
    let mut listed = 0;
    // What comes first is known only when all have been fetched.
    let most = if view.sort.is_some() { usize::MAX } else { limit };
    let mut pages = calls::pages(client, method, request, filter)?;
    progress.set_message(count(listed, &noun));
    while listed < most
        && let Some(page) = pages.next().await
    {
        let mut page = page?;
        page.truncate(most - listed);
        listed += page.len();
        progress.set_message(count(listed, &noun));
        for item in page {
            items.push(&item)?;
        }
        if view.streams() {
            items.output.flush()?;
        }
    }
    drop(progress);
    items.end(client, &plural(&noun)).await
}
