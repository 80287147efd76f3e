//! Injects faults on request.

mod details;
mod hold;
mod spec;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tonic::{Code, Status};

pub(super) use details::asked_by_id;
pub(super) use hold::HeldCall;
pub use hold::Hold;
pub use spec::ParseFaultError;

use crate::server::rich_status::with_details;
use crate::wkt::Any;

/// A fault, for calls over gRPC and REST.
///
/// A person can request one with the header `x-emulator-fault` (or the same metadata over gRPC), which
/// applies to that request only:
///
/// | value | effect |
/// |---|---|
/// | `code=UNAVAILABLE`, `code=14` | the gRPC code, with details; optionally `; message=…` and `; retry-after=SECONDS` |
/// | `http=503` | an HTTP status; `; body=json` (default), `html`, `empty`, `truncated` or `binary`; optionally `; retry-after=SECONDS` |
/// | `rate-limit`, `rate-limit=SECONDS` | 429, without or with `retry-after` |
/// | `redirect=/elsewhere` | 307 |
/// | `delay=MILLISECONDS` | delays the response, by at most ten minutes |
/// | `pending=N` | 202 with `response-id`, N times |
/// | `drop=before-headers`, `after-headers`, `mid-body` | breaks the connection (HTTP/1.1) or resets the stream (HTTP/2) |
///
/// With `; after-the-call` the call runs, and its response is lost.
///
/// ```
/// use eset_protect::emulator::Fault;
///
/// let fault: Fault = "code=UNAVAILABLE; retry-after=2; after-the-call".parse()?;
/// # Ok::<(), eset_protect::emulator::ParseFaultError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) kind: Kind,
    pub(super) after_the_call: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Status(Box<Status>),
    Http { status: StatusCode, headers: HeaderMap, body: Bytes },
    Delay(Duration),
    Hold(HeldCall),
    Pending(u32),
    Break(Place),
}

/// Where a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    BeforeHeaders,
    AfterHeaders,
    MidBody,
}

impl Fault {
    /// Waits as long as a fault says, then runs the call unless the fault replaces it.
    pub(super) async fn run<T: Default>(fault: Option<&Self>, call: impl Future<Output = T>) -> T {
        let Some(Self { kind, after_the_call }) = fault else { return call.await };
        match kind {
            Kind::Hold(hold) => hold.clone().wait().await,
            Kind::Delay(time) => tokio::time::sleep(*time).await,
            Kind::Status(_) | Kind::Http { .. } | Kind::Break(Place::BeforeHeaders)
                if !after_the_call =>
            {
                return T::default();
            }
            _ => {}
        }
        call.await
    }

    fn new(kind: Kind) -> Self {
        Self { kind, after_the_call: false }
    }

    /// Fails the call with a code and its usual details: `google.rpc.BadRequest`, `RetryInfo`,
    /// `PreconditionFailure` or `QuotaFailure`, and always `ErrorInfo`. `Ok` becomes `UNKNOWN`.
    pub fn code(code: Code) -> Self {
        Self::new(Kind::Status(Box::new(details::status(code, None, None))))
    }

    /// Fails the call with a code, a message and details.
    pub fn status(code: Code, message: &str, details: Vec<Any>) -> Self {
        Self::new(Kind::Status(Box::new(with_details(code, message.to_owned(), details))))
    }

    /// Refuses the call because of the rate limit: 429 and `RESOURCE_EXHAUSTED`. ESET does not document
    /// `Retry-After`, but a gateway may send it.
    pub fn too_many_requests(retry_after: Option<Duration>) -> Self {
        let status = details::status(Code::ResourceExhausted, None, retry_after);
        Self::new(Kind::Status(Box::new(status)))
    }

    /// Returns an HTTP status with a body on both wires, like a proxy that does not know gRPC.
    pub fn http(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Self::new(Kind::Http { status, headers, body: body.into() })
    }

    /// Returns a redirect (307).
    pub fn redirect(location: HeaderValue) -> Self {
        let redirect = Self::http(StatusCode::TEMPORARY_REDIRECT, "", "");
        redirect.header(header::LOCATION, location)
    }

    /// Adds a header to the response of [`http`](Self::http), or metadata to that of a code. Other faults
    /// have no headers.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        match &mut self.kind {
            Kind::Http { headers, .. } => {
                headers.append(name, value);
            }
            Kind::Status(status) => {
                let mut headers = std::mem::take(status.metadata_mut()).into_headers();
                headers.append(name, value);
                *status.metadata_mut() = tonic::metadata::MetadataMap::from_headers(headers);
            }
            _ => {}
        }
        self
    }

    /// Delays the call until the [`Hold`] releases it or is dropped, then runs it.
    pub fn hold() -> (Self, Hold) {
        let (call, hold) = hold::pair();
        (Self::new(Kind::Hold(call)), hold)
    }

    /// Delays the call, then runs it. Tests should use [`hold`](Self::hold).
    pub fn delay(time: Duration) -> Self {
        Self::new(Kind::Delay(time))
    }

    /// Returns a pending response (202, [facts](crate::facts#pending-responses)) this number of times, then the
    /// response. REST only.
    pub fn pending(times: u32) -> Self {
        Self::new(Kind::Pending(times))
    }

    /// Breaks the connection before there is a response. The call does not run, unless
    /// [`after_the_call`](Self::after_the_call) is set.
    pub fn break_before_headers() -> Self {
        Self::new(Kind::Break(Place::BeforeHeaders))
    }

    /// Runs the call and breaks the connection after the headers of the response.
    pub fn break_after_headers() -> Self {
        Self::new(Kind::Break(Place::AfterHeaders))
    }

    /// Runs the call and breaks the connection in the middle of the body of the response.
    pub fn break_mid_body() -> Self {
        Self::new(Kind::Break(Place::MidBody))
    }

    /// Runs the call before the fault, so that its response is lost.
    #[must_use]
    pub fn after_the_call(mut self) -> Self {
        self.after_the_call = true;
        self
    }
}

/// The faults waiting for calls. Clones share one queue.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<VecDeque<Waiting>>>);

#[derive(Debug)]
struct Waiting {
    target: Option<String>,
    fault: Fault,
}

impl Faults {
    /// Creates an empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Injects a fault into the next call of any RPC. Each fault applies to one call, in order.
    pub fn push(&self, fault: Fault) {
        self.lock().push_back(Waiting { target: None, fault });
    }

    /// Injects a fault into the next call of an RPC. `target` is the name of its method, such as `ListTasks`,
    /// its gRPC path, or the path of a token endpoint, `/oauth/token` or `/GetTokens`.
    pub fn push_for(&self, target: impl Into<String>, fault: Fault) {
        self.lock().push_back(Waiting { target: Some(target.into()), fault });
    }

    /// Returns the number of faults that have not been used.
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Removes all unused faults.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the fault for a call with these names.
    pub(super) fn take(&self, names: &[&str], is_rpc: bool) -> Option<Fault> {
        let mut queue = self.lock();
        let index = queue.iter().position(|waiting| match &waiting.target {
            None => is_rpc,
            Some(target) => names.contains(&target.as_str()),
        })?;
        queue.remove(index).map(|waiting| waiting.fault)
    }
}
