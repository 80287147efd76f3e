//! Fetches pages in advance.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::Code;
use tracing::Instrument;

use super::fetcher::{Fetched, Fetcher};
use crate::error::{Error, ErrorKind};
use crate::rpc::PagedRpc;

/// A background task that fetches pages, and the channel for them. Dropping this stops the task.
pub(super) struct Ahead<R: PagedRpc> {
    pages: mpsc::Receiver<Fetched<R>>,
    task: JoinHandle<()>,
}

impl<R: PagedRpc> Ahead<R> {
    /// Starts to fetch. Keeps up to `limit` pages, at least one, fetched or in progress.
    pub(super) fn start(runtime: &Handle, fetcher: Fetcher<R>, limit: usize) -> Self {
        let (sender, pages) = mpsc::channel(limit.max(1));
        // The calls belong to the caller's span although the task makes them.
        let fetching = fetch_all(fetcher, sender).in_current_span();
        Self { pages, task: runtime.spawn(fetching) }
    }

    /// Returns the next page. Must not be called after the last page or an error.
    pub(super) fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Fetched<R>> {
        if let Some(page) = ready!(self.pages.poll_recv(cx)) {
            return Poll::Ready(page);
        }
        // The end of the list would have been a page, so a list that was cut off must not look complete.
        let mut error = Error::new(
            ErrorKind::Transport,
            Code::Cancelled,
            "the background task that fetches pages ended before the list did",
        );
        if let Err(cause) = ready!(Pin::new(&mut self.task).poll(cx)) {
            error = error.with_source(cause);
        }
        Poll::Ready(Err(error.with_spec(R::SPEC)))
    }
}

impl<R: PagedRpc> Drop for Ahead<R> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn fetch_all<R: PagedRpc>(mut fetcher: Fetcher<R>, pages: mpsc::Sender<Fetched<R>>) {
    while !fetcher.is_at_end() {
        // Reserves a place first: a page in progress counts as fetched.
        let Ok(place) = pages.reserve().await else { return };
        let Some(page) = fetcher.next().await else { return };
        place.send(page);
    }
}
