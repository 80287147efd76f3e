//! Many calls of one RPC.

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
use super::{CallContext, CallOptions, output};
use crate::error::Error;
use crate::rpc::Rpc;
use crate::timer::BoxFuture;

/// How many calls are under way at once if nobody says. ESET allows 10 calls a second
/// ([facts](crate::facts#rate-limit)); at the 1.5 seconds that a slow answer of the cloud takes, 15
/// calls are under way at that rate (Little's law), so fewer would not reach it and more would only wait
/// for their turn.
const CONCURRENCY: usize = 16;

/// No more calls are under way at once, whatever is asked for.
const MAX_CONCURRENCY: usize = 1024;

fn bounded(concurrency: usize) -> usize {
    concurrency.clamp(1, MAX_CONCURRENCY)
}

/// Many calls of one RPC, several at once: a stream of [`BulkResponse`]s in the order in which they come,
/// or [`next`](Self::next) in a loop, or [`collect`](Self::collect) for all of them in the order of the
/// requests. Made by [`Client::bulk`](crate::Client::bulk).
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
/// * **As fast as allowed.** The calls share the client's rate limit, where there is one; this bounds how
///   many are under way at once, see [`concurrency`](Self::concurrency).
/// * **Memory.** Requests are taken from the iterator when there is room for their calls, so it may be
///   long or endless.
/// * **Failures** stop nothing. Each comes with its request, which can be sent again; for a call that is
///   not idempotent, look at [`Error::may_have_executed`] first.
/// * **Nothing runs in the background.** Calls go on while the stream is polled, so a caller that works
///   long on one response lets the others wait, and their timeouts pass. Dropping the bulk cancels the
///   calls under way on the wire; they may have run. [`stop`](Self::stop) ends it without that.
#[must_use = "calls are only made when their responses are asked for"]
pub struct Bulk<'a, R: Rpc> {
    context: Arc<CallContext>,
    options: CallOptions,
    concurrency: usize,
    requests: Requests<'a, R>,
    under_way: FuturesUnordered<BoxFuture<'static, BulkResponse<R>>>,
}

/// What came of one of many calls.
#[non_exhaustive]
pub struct BulkResponse<R: Rpc> {
    /// Which request it was, counted from 0.
    pub index: usize,
    /// The request.
    pub request: R::Request,
    /// What [awaiting the call](crate::Call) returns.
    pub result: Result<R::Output, Error>,
}

impl<'a, R: Rpc> Bulk<'a, R> {
    pub(crate) fn new<I>(context: Arc<CallContext>, requests: I) -> Self
    where
        I: Iterator<Item = R::Request> + Send + 'a,
    {
        Self {
            context,
            options: CallOptions::default(),
            concurrency: CONCURRENCY,
            requests: Requests::new(Box::new(requests)),
            under_way: FuturesUnordered::new(),
        }
    }

    /// Sets how many calls are under way at once: 16 by default, from 1 to 1024; what is outside is taken as
    /// the nearest of these.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = bounded(calls);
        self
    }

    /// Sets the options of each call.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// How far it is: a handle that can be kept and asked elsewhere. It counts calls, and a call counts as
    /// finished when its response is handed out.
    pub fn progress(&self) -> Progress {
        self.requests.progress().clone()
    }

    /// The next response; `None` behind the last. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<BulkResponse<R>> {
        std::future::poll_fn(|cx| self.poll_response(cx)).await
    }

    /// Begins no more calls and returns the requests that are left. The responses to the calls under way
    /// still come.
    pub fn stop(&mut self) -> impl Iterator<Item = R::Request> + Send + use<'a, R> {
        self.requests.stop()
    }

    /// Makes all calls and returns the responses in the order of the requests, less those that were handed
    /// out before. All of them are in memory at once.
    pub async fn collect(mut self) -> Vec<BulkResponse<R>> {
        let mut responses = Vec::new();
        while let Some(response) = self.next().await {
            responses.push(response);
        }
        responses.sort_unstable_by_key(|response| response.index);
        responses
    }

    fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<Option<BulkResponse<R>>> {
        while self.under_way.len() < self.concurrency {
            let Some((index, request)) = self.requests.next() else { break };
            let (context, options) = (self.context.clone(), self.options.clone());
            self.under_way.push(Box::pin(async move {
                let result = unary::<R>(&context, &request, &options).await;
                BulkResponse { index, request, result: result.and_then(output::<R>) }
            }));
        }
        let response = ready!(self.under_way.poll_next_unpin(cx));
        if let Some(response) = &response {
            self.requests.progress().finish(response.result.is_ok());
        }
        Poll::Ready(response)
    }
}

impl<R: Rpc> Stream for Bulk<'_, R> {
    type Item = BulkResponse<R>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_response(cx)
    }
}

impl<R: Rpc> fmt::Debug for Bulk<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk")
            .field("rpc", &R::SPEC.path)
            .field("options", &self.options)
            .field("concurrency", &self.concurrency)
            .field("progress", self.requests.progress())
            .finish_non_exhaustive()
    }
}

impl<R: Rpc> fmt::Debug for BulkResponse<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkResponse")
            .field("index", &self.index)
            .field("request", &self.request)
            .field("result", &self.result)
            .finish()
    }
}
