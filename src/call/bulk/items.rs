//! Fetches all items of many lists.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::{FuturesUnordered, StreamFuture};

use super::Progress;
use super::requests::Requests;
use crate::call::{Call, CallContext, CallOptions, Items};
use crate::error::Error;
use crate::rpc::PagedRpc;

/// Fetches all items of many lists concurrently: a stream of [`BulkItem`]s. Use it as a stream, or with
/// [`next`](Self::next) in a loop. Created by [`Client::bulk_items`](crate::Client::bulk_items).
///
/// ```no_run
/// # async fn run(client: eset_protect::Client, uuids: Vec<String>) {
/// use eset_protect::automation::v1::ListTaskRunsRequest;
/// use eset_protect::rpc::device_tasks::ListTaskRuns;
///
/// let lists = uuids
///     .into_iter()
///     .map(|task_uuid| ListTaskRunsRequest { task_uuid, ..Default::default() });
/// let mut runs = client.bulk_items::<ListTaskRuns>(lists);
/// let mut interrupted = Vec::new();
/// while let Some(item) = runs.next().await {
///     match item.result {
///         Ok(run) => println!("list {}: {}", item.index, run.device_uuid),
///         Err(error) => interrupted.push(error.request),
///     }
/// }
/// // Continue each failed list where it stopped.
/// let rest = client.bulk_items::<ListTaskRuns>(interrupted);
/// # }
/// ```
///
/// * **Order.** The items of a list come in its order. Lists take turns: each list with available items
///   returns one, so that a long list does not delay the others.
/// * **Memory.** Up to [`concurrency`](Self::concurrency) lists are fetched at once. Each has one page in
///   memory, plus those set by [`prefetch`](Self::prefetch). If you do not request items, nothing more is
///   fetched.
/// * **Failures** end only their own list and say how to resume it: see [`ListError`].
/// * **Nothing runs in the background** unless pages are prefetched. Dropping it cancels all calls.
#[must_use = "items are fetched only when they are requested"]
pub struct BulkItems<'a, R: PagedRpc> {
    prefetch: usize,
    requests: Requests<'a, R>,
    lists: FuturesUnordered<StreamFuture<List<R>>>,
}

/// An item of one of many lists.
#[derive(Debug)]
#[non_exhaustive]
pub struct BulkItem<R: PagedRpc> {
    /// The index of the list's request, starting at 0.
    pub index: usize,
    /// The item, or the reason why the list ended early.
    pub result: Result<R::Item, ListError<R>>,
}

/// The failure of one of many lists.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListError<R: PagedRpc> {
    /// A request for the rest of the list: the original request with the page token of the failed page. No
    /// item of that page has been returned.
    pub request: R::Request,
    /// The error.
    pub error: Error,
}

impl<'a, R: PagedRpc> BulkItems<'a, R> {
    pub(crate) fn new<I>(context: Arc<CallContext>, requests: I) -> Self
    where
        I: Iterator<Item = R::Request> + Send + 'a,
    {
        Self {
            // While one list waits for its next page, the others return items.
            prefetch: 0,
            requests: Requests::new(context, requests),
            lists: FuturesUnordered::new(),
        }
    }

    /// Sets the number of concurrent lists; see [`Bulk::concurrency`](crate::Bulk::concurrency).
    pub fn concurrency(mut self, lists: usize) -> Self {
        self.requests.set_concurrency(lists);
        self
    }

    /// Sets how many pages of each list are fetched in advance: 0 by default, because other lists return
    /// items while one waits. See [`Paginator::prefetch`](crate::Paginator::prefetch).
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages;
        self
    }

    /// Sets the options of each call, which fetches one page.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.requests.options = options;
        self
    }

    /// Returns a handle that reports the progress, also from other threads. It counts lists.
    pub fn progress(&self) -> Progress {
        self.requests.progress.clone()
    }

    /// Returns the next item of any list; `None` after the last. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<BulkItem<R>> {
        StreamExt::next(self).await
    }

    /// Starts no more lists and returns the remaining requests. Lists that have started continue to their
    /// end.
    pub fn stop(&mut self) -> impl Iterator<Item = R::Request> + Send + use<'a, R> {
        self.requests.stop()
    }

    fn begin_lists(&mut self) {
        while let Some((index, request)) = self.requests.next(self.lists.len()) {
            let Requests { context, options, .. } = &self.requests;
            let call = Call::<R>::new(context.clone(), request.clone());
            let items = call.options(options.clone()).items().prefetch(self.prefetch);
            self.lists.push(StreamExt::into_future(List { index, request, items }));
        }
    }
}

/// A list in progress.
struct List<R: PagedRpc> {
    index: usize,
    request: R::Request,
    items: Items<R>,
}

impl<R: PagedRpc> List<R> {
    fn into_error(mut self, error: Error) -> ListError<R> {
        let token = self.items.page_token().unwrap_or_default();
        token.clone_into(R::page_token(&mut self.request));
        ListError { request: self.request, error }
    }
}

impl<R: PagedRpc> Stream for List<R> {
    type Item = Result<R::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().items.poll_next_unpin(cx)
    }
}

impl<R: PagedRpc> Stream for BulkItems<'_, R> {
    type Item = BulkItem<R>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            self.begin_lists();
            let Some((item, list)) = ready!(self.lists.poll_next_unpin(cx)) else {
                return Poll::Ready(None);
            };
            let index = list.index;
            let result = match item {
                Some(Ok(item)) => {
                    // Goes to the end of the queue, so that lists take turns.
                    self.lists.push(StreamExt::into_future(list));
                    Ok(item)
                }
                Some(Err(error)) => {
                    self.requests.progress.finish(false);
                    Err(list.into_error(error))
                }
                None => {
                    self.requests.progress.finish(true);
                    continue;
                }
            };
            return Poll::Ready(Some(BulkItem { index, result }));
        }
    }
}

impl<R: PagedRpc> fmt::Debug for BulkItems<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkItems")
            .field("rpc", &R::SPEC.path)
            .field("options", &self.requests.options)
            .field("concurrency", &self.requests.concurrency)
            .field("prefetch", &self.prefetch)
            .field("progress", &self.requests.progress)
            .finish_non_exhaustive()
    }
}

impl<R: PagedRpc> fmt::Display for ListError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<R: PagedRpc> StdError for ListError<R> {}
