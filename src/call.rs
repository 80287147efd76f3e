//! One call: what a caller can say about it, and the one pipeline that every call goes through.

mod bulk;
mod items;
mod options;
mod paginator;
mod policy;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

pub use bulk::{Bulk, BulkItem, BulkItems, BulkResponse, ListError, Progress, ProgressCounts};
pub use items::Items;
pub use options::CallOptions;
pub use paginator::Paginator;
pub(crate) use policy::Policy;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Code, Response};

use crate::Client;
use crate::auth::AccessToken;
use crate::error::{Error, ErrorKind};
use crate::rpc::{PagedRpc, Rpc};
use crate::timer::within;
use crate::transport::Attempt;

/// A call that has not been made yet: await it.
///
/// ```no_run
/// # use std::time::Duration;
/// # async fn run(client: eset_protect::Client) -> Result<(), eset_protect::Error> {
/// let response = client.device_tasks().get_task("0b7f…").timeout(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
///
/// Dropping the future cancels the call on the wire; it may have run.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<R: Rpc> {
    client: Client,
    request: R::Request,
    options: CallOptions,
}

impl<R: Rpc> Call<R> {
    pub(crate) fn new(client: Client, request: R::Request) -> Self {
        Self { client, request, options: CallOptions::default() }
    }

    /// Sets how long the call may take, connecting and all; see [`CallOptions::timeout`].
    pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
        self.options = self.options.timeout(timeout);
        self
    }

    /// Adds metadata; see [`CallOptions::metadata`].
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.options = self.options.metadata(key, value);
        self
    }

    /// Replaces all options.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Makes the call and returns the answer with its metadata. Awaiting the call itself returns the
    /// answer alone.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn send(self) -> Result<Response<R::Response>, Error> {
        execute::<R>(&self.client, &self.request, &self.options).await
    }
}

impl<R: PagedRpc> Call<R> {
    /// Goes over all pages; the request's page token says where to begin.
    pub fn pages(self) -> Paginator<R> {
        Paginator::new(self.client, self.request, self.options)
    }

    /// Goes over everything that is listed, page by page.
    pub fn items(self) -> Items<R> {
        Items::new(self.pages())
    }
}

impl<R: Rpc> IntoFuture for Call<R> {
    type Output = Result<R::Response, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.send().await.map(Response::into_inner) })
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

/// No call is longer: beyond it clocks overflow and `grpc-timeout` has no form.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 60 * 60);

/// The pipeline: deadline, credentials, one attempt on the transport; and one more with another token
/// if the service refused the first, which shows that it did nothing, or that only the question for a
/// pending answer was refused, which is then asked again.
pub(crate) async fn execute<R: Rpc>(
    client: &Client,
    request: &R::Request,
    options: &CallOptions,
) -> Result<Response<R::Response>, Error> {
    let timeout = options.timeout_or(client.timeout()).min(LONGEST);
    if timeout.is_zero() {
        let message = "the call has no time: nothing was sent";
        let error = Error::new(ErrorKind::Deadline, Code::DeadlineExceeded, message);
        return Err(error.with_execution(false).with_spec(R::SPEC));
    }
    let timer = &*client.policy().timer;
    let deadline = timer.now() + timeout;
    // tonic's own timeout ends with the headers of the answer; this one holds to its end.
    let result =
        match within(timer, timeout, attempts::<R>(client, request, options, deadline)).await {
            Some(result) => result,
            None => {
                let message = format!("no answer within {timeout:?}");
                Err(Error::new(ErrorKind::Deadline, Code::DeadlineExceeded, message))
            }
        };
    result.map_err(|error| error.with_spec(R::SPEC))
}

async fn attempts<R: Rpc>(
    client: &Client,
    request: &R::Request,
    options: &CallOptions,
    deadline: Instant,
) -> Result<Response<R::Response>, Error> {
    let mut metadata = client.metadata().clone();
    options.add_to(&mut metadata)?;
    // Who gives a call its own token wants that one.
    let is_own = metadata.contains_key(http::header::AUTHORIZATION.as_str());
    let Some(credentials) = client.credentials().filter(|_| !is_own) else {
        return attempt::<R>(client, request, metadata, deadline, None).await;
    };
    // Without a token nothing is sent.
    let token = credentials.token().await.map_err(|error| error.with_execution(false))?;
    let first = with_token(&metadata, &token)?;
    let refused = match attempt::<R>(client, request, first, deadline, None).await {
        Err(error) if error.is_unauthenticated() => error,
        result => return result,
    };
    credentials.invalidate(&token).await;
    let may_have_executed = refused.may_have_executed();
    let renewed = credentials.token().await;
    let renewed = renewed.map_err(|error| error.with_execution(may_have_executed))?;
    if renewed.is_same(&token) {
        return Err(refused);
    }
    let pending_id = refused.pending_id().cloned();
    attempt::<R>(client, request, with_token(&metadata, &renewed)?, deadline, pending_id).await
}

async fn attempt<R: Rpc>(
    client: &Client,
    request: &R::Request,
    metadata: MetadataMap,
    deadline: Instant,
    pending_id: Option<http::HeaderValue>,
) -> Result<Response<R::Response>, Error> {
    let timeout = deadline.saturating_duration_since(client.policy().timer.now());
    client.transport().attempt::<R>(request, Attempt { timeout, metadata, pending_id }).await
}

fn with_token(metadata: &MetadataMap, token: &AccessToken) -> Result<MetadataMap, Error> {
    let mut headers = metadata.clone().into_headers();
    headers.insert(http::header::AUTHORIZATION, token.to_header()?);
    Ok(MetadataMap::from_headers(headers))
}
