//! Makes many calls of one RPC.

mod items;
mod progress;
mod requests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

pub use self::items::{BulkItem, BulkItems, ListError};
pub use self::progress::{Progress, ProgressCounts};
use self::requests::Requests;
use super::unary::unary;
use super::{CallContext, CallOptions};
use crate::error::Error;
use crate::rpc::Rpc;
use crate::timer::BoxFuture;

/// Makes many calls of one RPC concurrently: a stream of [`BulkResponse`]s in the order of arrival. Use it as
/// a stream, with [`next`](Self::next) in a loop, or with [`collect`](Self::collect) for all responses in the
/// order of the requests. Created by [`Client::bulk`](crate::Client::bulk).
///
/// ```no_run
/// # async fn run(client: eset_protect::Client, uuids: Vec<String>) {
/// use eset_protect::rpc::device_tasks::DeleteTask;
///
/// let mut bulk = client.bulk::<DeleteTask>(uuids);
/// let progress = bulk.progress();
/// let mut unclear = Vec::new();
/// while let Some(response) = bulk.next().await {
///     if let Err(error) = response.result {
///         eprintln!("{}: {error}", response.request.task_uuid);
///         if error.may_have_executed() {
///             unclear.push(response.request);
///         }
///     }
///     let counts = progress.counts();
///     eprintln!("{} of {:?}, {} failed", counts.finished(), counts.total, counts.failed);
/// }
/// # }
/// ```
///
/// * **Speed.** The calls share the client's rate limit, if there is one; [`concurrency`](Self::concurrency)
///   limits the number of concurrent calls.
/// * **Memory.** Requests are taken from the iterator when their calls can start, so it may be long or
///   endless.
/// * **Failures** do not stop other calls. Each comes with its request, which you can send again. If the call
///   is not idempotent, check [`Error::may_have_executed`] first.
/// * **Nothing runs in the background.** Calls make progress only while the stream is polled: if you work on
///   one response for long, the others wait and may time out. Dropping the bulk cancels the current calls on
///   the wire; they may have run. [`stop`](Self::stop) ends it without cancelling them.
#[must_use = "calls are made only while their responses are requested"]
pub struct Bulk<'a, R: Rpc> {
    requests: Requests<'a, R>,
    under_way: FuturesUnordered<BoxFuture<'static, BulkResponse<R>>>,
}

/// The response to one of many calls.
#[derive(Debug)]
#[non_exhaustive]
pub struct BulkResponse<R: Rpc> {
    /// The index of the request, starting at 0.
    pub index: usize,
    /// The request.
    pub request: R::Request,
    /// The result of [awaiting the call](crate::Call).
    pub result: Result<R::Output, Error>,
}

impl<'a, R: Rpc> Bulk<'a, R> {
    pub(crate) fn new<I>(context: Arc<CallContext>, requests: I) -> Self
    where
        I: Iterator<Item = R::Request> + Send + 'a,
    {
        Self { requests: Requests::new(context, requests), under_way: FuturesUnordered::new() }
    }

    /// Sets the number of concurrent calls: 16 by default. Values are limited to the range from 1 to 1024.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.requests.set_concurrency(calls);
        self
    }

    /// Sets the options of each call.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.requests.options = options;
        self
    }

    /// Returns a handle that reports the progress, also from other threads. It counts calls; a call is
    /// finished when its response is returned.
    pub fn progress(&self) -> Progress {
        self.requests.progress.clone()
    }

    /// Returns the next response; `None` after the last. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<BulkResponse<R>> {
        StreamExt::next(self).await
    }

    /// Starts no more calls and returns the remaining requests. The responses to current calls are still
    /// returned.
    pub fn stop(&mut self) -> impl Iterator<Item = R::Request> + Send + use<'a, R> {
        self.requests.stop()
    }

    /// Makes all calls and returns the responses in the order of the requests, except those returned before.
    /// Holds all of them in memory.
    pub async fn collect(mut self) -> Vec<BulkResponse<R>> {
        let mut responses: Vec<_> = StreamExt::collect(&mut self).await;
        responses.sort_unstable_by_key(|response| response.index);
        responses
    }
}

impl<R: Rpc> Stream for Bulk<'_, R> {
    type Item = BulkResponse<R>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { requests, under_way } = self.get_mut();
        while let Some((index, request)) = requests.next(under_way.len()) {
            let (context, options) = (requests.context.clone(), requests.options.clone());
            under_way.push(Box::pin(async move {
                let result = unary::<R, _>(&context, &request, &options, R::output).await;
                BulkResponse { index, request, result: result.map(|(_, output)| output) }
            }));
        }
        let response = ready!(under_way.poll_next_unpin(cx));
        if let Some(response) = &response {
            requests.progress.finish(response.result.is_ok());
        }
        Poll::Ready(response)
    }
}

impl<R: Rpc> fmt::Debug for Bulk<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk")
            .field("rpc", &R::SPEC.path)
            .field("options", &self.requests.options)
            .field("concurrency", &self.requests.concurrency)
            .field("progress", &self.requests.progress)
            .finish_non_exhaustive()
    }
}
