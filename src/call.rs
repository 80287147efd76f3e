//! One call: what a caller can say about it, and the one loop that every call goes through.

mod bounds;
mod bulk;
mod call_state;
mod context;
mod deployed;
mod execute;
#[cfg(feature = "serve")]
mod forward;
mod items;
mod limit;
mod options;
mod paginator;
mod pushback;
#[cfg(feature = "rest")]
mod raw;
mod retry_policy;
mod retry_throttle;
mod unary;
#[cfg(feature = "rest")]
mod wire_choice;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

pub use bulk::{Bulk, BulkItem, BulkItems, BulkResponse, ListError, Progress, ProgressCounts};
pub(crate) use context::{CallContext, Interceptor, Links, Policy};
pub(crate) use deployed::Deployed;
#[cfg(feature = "serve")]
pub(crate) use forward::forward;
pub use items::Items;
pub(crate) use limit::Limit;
pub use options::CallOptions;
pub use paginator::Paginator;
#[cfg(feature = "rest")]
pub(crate) use raw::raw;
pub use retry_policy::RetryPolicy;
pub use retry_throttle::RetryThrottle;
use tonic::Response;
#[cfg(feature = "rest")]
pub(crate) use wire_choice::WireChoice;

use crate::error::Error;
use crate::filter::{Filter, FilteredRpc, OrderBy, OrderedRpc};
use crate::rpc::{PagedRpc, Rpc};
use unary::unary;

/// A call that has not been sent yet. Await it to make the call.
///
/// ```no_run
/// # use std::time::Duration;
/// # async fn run(client: eset_protect::Client) -> Result<(), eset_protect::Error> {
/// let task = client.device_tasks().get_task("0b7f…").timeout(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
///
/// Awaiting it returns the [`Rpc::Output`]: the task for `get_task` and `create_task`. A response without it
/// is an [`ErrorKind::Transport`](crate::ErrorKind::Transport) error that names the missing field; the call
/// [may have run](Error::may_have_executed). [`send`](Self::send) returns the whole response.
///
/// Dropping the future cancels the call on the wire; it may have run.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<R: Rpc> {
    context: Arc<CallContext>,
    request: R::Request,
    options: CallOptions,
}

impl<R: Rpc> Call<R> {
    pub(crate) fn new(context: Arc<CallContext>, request: R::Request) -> Self {
        Self { context, request, options: CallOptions::default() }
    }

    /// Sets the timeout of the call, including connecting; see [`CallOptions::timeout`].
    pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
        self.options = self.options.timeout(timeout);
        self
    }

    /// Sets the timeout of a single attempt; see [`CallOptions::attempt_timeout`].
    pub fn attempt_timeout(mut self, timeout: std::time::Duration) -> Self {
        self.options = self.options.attempt_timeout(timeout);
        self
    }

    /// Sets when the call is retried; see [`CallOptions::retry`].
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.options = self.options.retry(retry);
        self
    }

    /// Adds metadata; see [`CallOptions::metadata`].
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.options = self.options.metadata(key, value);
        self
    }

    /// Sets the expression that filters the list; see [`filter`](crate::filter).
    pub fn filter(mut self, filter: Filter<R>) -> Self
    where
        R: FilteredRpc,
    {
        filter.set(&mut self.request);
        self
    }

    /// Sets the order of the list; see [`filter`](crate::filter).
    pub fn order_by(mut self, order: OrderBy<R>) -> Self
    where
        R: OrderedRpc,
    {
        order.set(&mut self.request);
        self
    }

    /// Replaces all options.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Makes the call and returns the whole response with its [metadata](Error::metadata).
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn send(self) -> Result<Response<R::Response>, Error> {
        let response = unary::<R, _>(&self.context, &self.request, &self.options, Some).await;
        response.map(|(reply, response)| reply.into_response(response))
    }
}

impl<R: PagedRpc> Call<R> {
    /// Returns all pages, starting with the page token of the request.
    pub fn pages(self) -> Paginator<R> {
        Paginator::new(self.context, self.request, self.options)
    }

    /// Returns all items of all pages.
    pub fn items(self) -> Items<R> {
        Items::new(self.pages())
    }
}

impl<R: Rpc> IntoFuture for Call<R> {
    type Output = Result<R::Output, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let output = unary::<R, _>(&self.context, &self.request, &self.options, R::output);
            output.await.map(|(_, output)| output)
        })
    }
}

impl<R: Rpc> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("rpc", &R::SPEC.path)
            .field("request", &self.request)
            .field("options", &self.options)
            .finish()
    }
}
