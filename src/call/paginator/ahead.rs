//! Fetches pages in advance.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::Code;
use tracing::Instrument;

use super::fetcher::Fetched;
use crate::error::{Error, ErrorKind};
use crate::rpc::PagedRpc;

/// A background task that fetches pages, and the channel for them. Dropping this stops the task.
pub(super) struct Ahead<R: PagedRpc> {
    pages: mpsc::Receiver<Fetched<R>>,
    task: JoinHandle<()>,
}

impl<R: PagedRpc> Ahead<R> {
    /// Starts to fetch. Keeps up to `limit` pages, at least one, fetched or in progress.
    pub(super) fn start(
        runtime: &Handle,
        pages: BoxStream<'static, Fetched<R>>,
        limit: usize,
    ) -> Self {
        let (sender, received) = mpsc::channel(limit.max(1));
        // The calls belong to the caller's span although the task makes them.
        let fetching = fetch_all::<R>(pages, sender).in_current_span();
        Self { pages: received, task: runtime.spawn(fetching) }
    }
}

/// The pages, to be polled until the last one or an error.
impl<R: PagedRpc> Stream for Ahead<R> {
    type Item = Fetched<R>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Fetched<R>>> {
        if let Some(page) = ready!(self.pages.poll_recv(cx)) {
            return Poll::Ready(Some(page));
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
        Poll::Ready(Some(Err(error.with_spec(R::SPEC))))
    }
}

impl<R: PagedRpc> Drop for Ahead<R> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn fetch_all<R: PagedRpc>(
    mut pages: BoxStream<'static, Fetched<R>>,
    fetched: mpsc::Sender<Fetched<R>>,
) {
    // Reserves a place first: a page in progress counts as fetched.
    while let Ok(place) = fetched.reserve().await {
        let Some(page) = pages.next().await else { return };
        let has_next = page.as_ref().is_ok_and(|page| !R::next_page_token(page).is_empty());
        place.send(page);
        if !has_next {
            return;
        }
    }
}
