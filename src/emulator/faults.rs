//! What an emulator does wrong, because somebody asked for it.

mod details;
mod hold;
mod spec;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tonic::{Code, Status};

pub(super) use details::{asked_by_id, with_details};
pub use hold::Held;
pub(super) use hold::Hold;
pub use spec::ParseFaultError;

use crate::wkt::Any;

/// One thing that goes wrong, on whichever front the call comes.
///
/// A person asks for it with the header `x-emulator-fault` (or the same metadata over gRPC), which
/// holds for that request alone:
///
/// | value | what happens |
/// |---|---|
/// | `code=UNAVAILABLE`, `code=14` | the gRPC code, with details; also `; message=…` and `; retry-after=SECONDS` |
/// | `http=503` | an HTTP status; `; body=json` (default), `html`, `empty`, `truncated` or `binary`; also `; retry-after=SECONDS` |
/// | `rate-limit`, `rate-limit=SECONDS` | 429, without or with `retry-after` |
/// | `redirect=/elsewhere` | 307 |
/// | `delay=MILLISECONDS` | the answer comes later, by ten minutes at most |
/// | `pending=N` | 202 with `response-id`, N times |
/// | `drop=before-headers`, `after-headers`, `mid-body` | the connection breaks (HTTP/1.1), the stream is reset (HTTP/2) |
///
/// With `; after-the-call` the call runs, and its answer is lost.
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
    Hold(Hold),
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
    fn new(kind: Kind) -> Self {
        Self { kind, after_the_call: false }
    }

    /// The call fails with a code, with the details that usually go with it: `google.rpc.BadRequest`,
    /// `RetryInfo`, `PreconditionFailure` or `QuotaFailure`, and always `ErrorInfo`. `Ok` is `UNKNOWN`.
    pub fn code(code: Code) -> Self {
        Self::new(Kind::Status(Box::new(details::status(code, None, None))))
    }

    /// The call fails with a code, a message and details.
    pub fn status(code: Code, message: &str, details: Vec<Any>) -> Self {
        Self::new(Kind::Status(Box::new(with_details(code, message.to_owned(), details))))
    }

    /// The rate limit is reached: 429 and `RESOURCE_EXHAUSTED`. `Retry-After` is not documented, but
    /// what stands before a service may send it.
    pub fn too_many_requests(retry_after: Option<Duration>) -> Self {
        let mut status = details::status(Code::ResourceExhausted, None, retry_after);
        details::add_retry_after(&mut status, retry_after);
        Self::new(Kind::Status(Box::new(status)))
    }

    /// An HTTP status with a body, on both fronts, as from a proxy that does not know gRPC.
    pub fn http(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Self::new(Kind::Http { status, headers, body: body.into() })
    }

    /// A redirect (307).
    pub fn redirect(location: HeaderValue) -> Self {
        let redirect = Self::http(StatusCode::TEMPORARY_REDIRECT, "", "");
        redirect.header(header::LOCATION, location)
    }

    /// Adds a header to the answer of [`http`](Self::http), metadata to that of a code; nothing else
    /// has headers of its own.
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

    /// The call waits until the [`Held`] releases it or is dropped, then runs.
    pub fn hold() -> (Self, Held) {
        let (hold, held) = hold::pair();
        (Self::new(Kind::Hold(hold)), held)
    }

    /// The call waits, then runs. A test had better [`hold`](Self::hold) it.
    pub fn delay(time: Duration) -> Self {
        Self::new(Kind::Delay(time))
    }

    /// The answer is pending (202, [facts](crate::facts#pending-answers)) so many times, then comes.
    /// REST only.
    pub fn pending(times: u32) -> Self {
        Self::new(Kind::Pending(times))
    }

    /// The connection breaks before there is an answer. The call did not run, unless
    /// [`after_the_call`](Self::after_the_call).
    pub fn break_before_headers() -> Self {
        Self::new(Kind::Break(Place::BeforeHeaders))
    }

    /// The call runs, and the connection breaks after the headers of the answer.
    pub fn break_after_headers() -> Self {
        Self::new(Kind::Break(Place::AfterHeaders))
    }

    /// The call runs, and the connection breaks in the middle of the body of the answer.
    pub fn break_mid_body() -> Self {
        Self::new(Kind::Break(Place::MidBody))
    }

    /// The call runs all the same, and its answer is lost.
    #[must_use]
    pub fn after_the_call(mut self) -> Self {
        self.after_the_call = true;
        self
    }
}

/// The faults that wait for their calls. Clones are the same queue.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<VecDeque<Waiting>>>);

#[derive(Debug)]
struct Waiting {
    target: Option<String>,
    fault: Fault,
}

impl Faults {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next call of any RPC goes wrong so. Each fault is for one call, the first for the first.
    pub fn push(&self, fault: Fault) {
        self.add(Waiting { target: None, fault });
    }

    /// The next call of an RPC goes wrong so. `target` is the name of its method, such as `ListTasks`,
    /// its gRPC path, or the path of a token endpoint, `/oauth/token` or `/GetTokens`.
    pub fn push_for(&self, target: impl Into<String>, fault: Fault) {
        self.add(Waiting { target: Some(target.into()), fault });
    }

    /// How many faults wait for their call.
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Forgets the faults that wait.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn add(&self, waiting: Waiting) {
        self.lock().push_back(waiting);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the fault for a call that has these names.
    pub(super) fn take(&self, names: &[&str], is_rpc: bool) -> Option<Fault> {
        let mut queue = self.lock();
        let index = queue.iter().position(|waiting| match &waiting.target {
            None => is_rpc,
            Some(target) => names.contains(&target.as_str()),
        })?;
        queue.remove(index).map(|waiting| waiting.fault)
    }
}
