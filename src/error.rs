//! The error type of all calls.

#[cfg(feature = "tls")]
mod in_words;
mod predicates;
mod secrets;
mod status;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use tonic::Code;
use tonic::metadata::MetadataMap;

pub(crate) use secrets::Secrets;
pub use secrets::is_uuid;

#[cfg(feature = "rest")]
use crate::headers::metadata;
use crate::rpc::MethodSpec;
use crate::wkt::Any;
#[cfg(feature = "tls")]
pub(crate) use in_words::InWords;

/// The header with ESET's id of a request ([facts](crate::facts#errors)).
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The reason why a call failed, the same on both wires.
///
/// [`code`](Self::code) returns the kind of failure, and the `is_*` methods say what the caller can do. Check
/// [`may_have_executed`](Self::may_have_executed) before you repeat a call that is not idempotent.
///
/// ```no_run
/// # async fn run(client: eset_protect::Client) -> Result<(), eset_protect::Error> {
/// match client.device_tasks().get_task("0b7f…").await {
///     Ok(task) => println!("{task:?}"),
///     Err(error) if error.is_not_found() => println!("no such task"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// Its `Display` shows everything, the cause included, so a log needs no more than `{error}`. Therefore its
/// [`source`](std::error::Error::source) is `None`: programs that print the whole chain, as with `anyhow`, print the
/// cause once. [`underlying`](Self::underlying) returns it.
///
/// Cloning it copies what it says and shares the cause. A server that forwards calls returns it as a
/// [`tonic::Status`] with the same code, message, details and metadata.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
#[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "only a bridge reads all of it"))]
struct Inner {
    kind: ErrorKind,
    code: Code,
    message: String,
    details: Vec<Any>,
    metadata: MetadataMap,
    spec: Option<&'static MethodSpec>,
    http_status: Option<http::StatusCode>,
    is_code_inferred: bool,
    /// Whether the call may have run, where the kind and code would give the wrong answer.
    may_have_executed: Option<bool>,
    /// Whether the request provably never reached the service.
    is_unsent: bool,
    /// Whether the connection, or the peer closing it, refused the request unprocessed.
    is_refused: bool,
    /// Whether the same call may succeed a little later, where the kind and code would give the wrong answer.
    is_retryable: Option<bool>,
    marks: Marks,
    /// How many times the request was sent.
    attempts: u32,
    /// How long the service asked to wait.
    retry_after: Option<Duration>,
    /// The `response-id` of the pending response that was polled.
    pending_id: Option<http::HeaderValue>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Marks with the function that asks for each, and the one that sets it.
macro_rules! marks {
    ($($(#[$doc:meta])* $is_marked:ident $mark:ident;)*) => {
        /// What this crate itself has to know of an error, beside what it shows to callers.
        #[derive(Clone, Copy, Default)]
        struct Marks {
            $($is_marked: bool,)*
        }

        #[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "not every server asks for all"))]
        impl Error {
            $(
                $(#[$doc])*
                pub(crate) fn $is_marked(&self) -> bool {
                    self.0.marks.$is_marked
                }

                pub(crate) fn $mark(mut self) -> Self {
                    self.0.marks.$is_marked = true;
                    self
                }
            )*
        }
    };
}

marks! {
    /// Whether one endpoint of several failed, and the same call can go to another. That says nothing about their health.
    is_elsewhere elsewhere;
    /// Whether the client's own credentials are the cause: there was no token for the call.
    is_of_credentials of_credentials;
    /// Whether the server was asked, and no byte of a response came in the time that it had.
    is_unanswered unanswered;
    /// Whether the response is a page or text, which a proxy sends and not the service.
    is_foreign foreign;
}

/// The origin of an error, and how far the call got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration or the request is invalid. Nothing was sent.
    Config,
    /// There is no connection: it was refused (perhaps by a proxy), the name was not resolved, TLS failed, or
    /// the server did not start to speak HTTP/2 where it must. Nothing was sent.
    Connect,
    /// The connection broke, or the server violated the protocol. The call may have run, unless
    /// [`may_have_executed`](Error::may_have_executed) returns false: then the server refused it unprocessed,
    /// or nothing was sent.
    Transport,
    /// The deadline expired. The call may have run.
    Deadline,
    /// A message exceeds a limit of this client.
    Limit,
    /// The service responded with an error.
    Status,
}

/// What stands between the message of an error and that of the attempt before it.
pub(crate) const BEFORE: &str = "; before that, ";

impl Error {
    pub(crate) fn new(kind: ErrorKind, code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            message: message.into(),
            details: Vec::new(),
            metadata: MetadataMap::new(),
            spec: None,
            http_status: None,
            is_code_inferred: false,
            may_have_executed: None,
            is_unsent: false,
            is_refused: false,
            is_retryable: None,
            marks: Marks::default(),
            attempts: 0,
            retry_after: None,
            pending_id: None,
            source: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, Code::InvalidArgument, message)
    }

    /// The server violated the protocol.
    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transport, Code::Internal, message)
    }

    /// The time is up.
    pub(crate) fn deadline(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Deadline, Code::DeadlineExceeded, message)
    }

    /// There is no connection.
    pub(crate) fn no_connection(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Connect, Code::Unavailable, message)
    }

    /// The connection broke.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transport, Code::Unavailable, message)
    }

    /// Marks the error as that of a login.
    #[cfg(feature = "rest")]
    pub(crate) fn of_login(mut self, code: Code, what: &str) -> Self {
        self.0.is_code_inferred |= self.0.code != code;
        self.0.code = code;
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// Turns an error response into a protocol error, because it does not answer the call.
    pub(crate) fn into_protocol(mut self, message: String) -> Self {
        self.0.kind = ErrorKind::Transport;
        self.0.code = Code::Internal;
        self.0.message = message;
        self
    }

    /// Sets whether the call may have run, where the kind and code would give the wrong answer.
    pub(crate) fn with_execution(mut self, may_have_executed: bool) -> Self {
        self.0.may_have_executed = Some(may_have_executed);
        self
    }

    /// Marks the request as one that provably never reached the service.
    pub(crate) fn unsent(mut self) -> Self {
        self.0.is_unsent = true;
        self.with_execution(false)
    }

    /// Marks the request as refused unprocessed by a connection, or not written at all before the connection
    /// ended. That says nothing about the health of the service.
    pub(crate) fn refused(mut self) -> Self {
        self.0.is_refused = true;
        self.unsent()
    }

    /// Whether a connection refused the request unprocessed.
    pub(crate) fn is_refused(&self) -> bool {
        self.0.is_refused
    }

    /// Whether the request provably never reached the service, so that any call can be repeated. False if
    /// something else is known about the call, such as a pending response.
    pub(crate) fn is_unsent(&self) -> bool {
        (self.0.is_unsent || self.kind() == ErrorKind::Connect) && !self.may_have_executed()
    }

    /// Marks the error as permanent: the same call fails until the cause is fixed.
    pub(crate) fn permanent(mut self) -> Self {
        self.0.is_retryable = Some(false);
        self
    }

    /// Whether the same call is known to fail until the cause is fixed.
    #[cfg(feature = "automation")]
    pub(crate) fn is_permanent(&self) -> bool {
        self.0.is_retryable == Some(false)
    }

    /// Marks the error as transient: the same call may succeed a little later.
    pub(crate) fn transient(mut self) -> Self {
        self.0.is_retryable = Some(true);
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Whether the client did not even try to send the request.
    pub(crate) fn is_before_sending(&self) -> bool {
        matches!(self.kind(), ErrorKind::Config | ErrorKind::Deadline | ErrorKind::Limit)
            && !self.may_have_executed()
    }

    /// Adds the error of the previous attempt, which this failed retry followed.
    pub(crate) fn after(mut self, last: Self) -> Self {
        let (code, message) = (code_name(last.code()), last.message());
        self.0.message = format!("{}{BEFORE}{code}: {message}", self.0.message);
        if self.0.metadata.is_empty() {
            self.0.metadata = last.metadata().clone();
        }
        self.with_source(last)
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Sets the id of the pending response that was polled. The service accepted the call before, so it may
    /// have run.
    pub(crate) fn with_pending_id(mut self, id: &http::HeaderValue) -> Self {
        self.0.pending_id = Some(id.clone());
        self.with_execution(true)
    }

    /// Returns the id of the pending response that was polled: the call is running and must not be started
    /// again.
    pub(crate) fn pending_id(&self) -> Option<&http::HeaderValue> {
        self.0.pending_id.as_ref()
    }

    /// Appends a note to the message.
    pub(crate) fn with_note(mut self, note: &str) -> Self {
        self.0.message = format!("{}; {note}", self.0.message);
        self
    }

    /// Sets the status of the HTTP response, if there was one.
    pub(crate) fn with_http_status(mut self, status: impl Into<Option<http::StatusCode>>) -> Self {
        self.0.http_status = status.into().or(self.0.http_status);
        self
    }

    /// Adds the HTTP response that contained the error.
    #[cfg(feature = "rest")]
    pub(crate) fn with_answer(self, status: http::StatusCode, headers: &http::HeaderMap) -> Self {
        self.with_http_status(status).with_metadata(metadata(headers.clone()))
    }

    pub(crate) fn with_inferred_code(mut self) -> Self {
        self.0.is_code_inferred = true;
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) fn with_details(mut self, details: Vec<Any>) -> Self {
        self.0.details = details;
        self
    }

    pub(crate) fn with_metadata(mut self, metadata: MetadataMap) -> Self {
        self.0.metadata = metadata;
        self
    }

    pub(crate) fn with_spec(mut self, spec: &'static MethodSpec) -> Self {
        self.0.spec = Some(spec);
        self
    }

    /// Returns the origin of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the gRPC status code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Returns the error message, for humans. If a service or proxy quotes the token, the password or another
    /// secret of the request, in whatever encoding, the message, the metadata and the causes contain
    /// `[redacted]` instead, and the [details](Self::details) contain `***`.
    /// [`CallOptions::metadata`](crate::CallOptions::metadata) explains which metadata is secret.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the error of another library, or of the attempt before, that caused this one. For programs: what it says
    /// is in the [message](Self::message), in short.
    ///
    /// ```
    /// use std::error::Error as _;
    /// use std::io;
    ///
    /// fn kind(error: &eset_protect::Error) -> Option<io::ErrorKind> {
    ///     let mut next = error.underlying().map(|error| error as &(dyn std::error::Error + 'static));
    ///     while let Some(error) = next {
    ///         if let Some(error) = error.downcast_ref::<io::Error>() {
    ///             return Some(error.kind());
    ///         }
    ///         next = error.source();
    ///     }
    ///     None
    /// }
    /// ```
    pub fn underlying(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }

    /// Returns the typed details of the service, such as `google.rpc.BadRequest`, which a request without an HTTP form has,
    /// too.
    pub fn details(&self) -> &[Any] {
        &self.0.details
    }

    /// Returns the first detail of a type, unpacked; `None` if there is none or it does not decode.
    ///
    /// ```
    /// use eset_protect::proto::google::rpc::BadRequest;
    ///
    /// fn wrong_fields(error: &eset_protect::Error) -> Vec<String> {
    ///     let request: Option<BadRequest> = error.detail();
    ///     request.into_iter().flat_map(|r| r.field_violations).map(|v| v.field).collect()
    /// }
    /// ```
    pub fn detail<M: prost::Message + prost::Name + Default>(&self) -> Option<M> {
        self.0.details.iter().find(|any| any.is::<M>()).and_then(|any| any.unpack().ok())
    }

    /// Returns the headers and trailers of the response. Headers that only matter to HTTP are omitted on both
    /// wires, because they would break the next stream if you forwarded them. The same applies to the
    /// metadata of a successful response ([`Call::send`](crate::Call::send)), and to the errors and replies of a
    /// [`Transport`](crate::transport::Transport) of your own:
    ///
    /// | omitted | reason |
    /// |---|---|
    /// | `content-type`, `content-length`, `content-encoding`, `content-range`, `accept-ranges`, `transfer-encoding`, `trailer` | describe one body (RFC 9110, 8; RFC 9112, 6) |
    /// | `connection` and the headers that it names, `keep-alive`, `proxy-connection`, `te`, `upgrade`, `http2-settings` | apply to one connection (RFC 9110, 7.6.1) |
    /// | `date`, `server`, `via`, `alt-svc` | describe one server or a proxy in front of it |
    /// | `set-cookie`, `cookie`, `authorization`, `proxy-authorization`, `proxy-authenticate`, `proxy-authentication-info` | contain credentials or describe those of a proxy |
    /// | `grpc-…` but for `grpc-retry-pushback-ms` | are reserved for gRPC: part of the status, or of one message |
    /// | `response-id` | is of a pending response, which the client asks for ([facts](crate::facts#pending-responses)) |
    ///
    /// All others are kept, such as `request-id`, `retry-after` and `grpc-retry-pushback-ms`. A date in `retry-after`
    /// becomes seconds if the response has a `date`: they are the same by any clock.
    pub fn metadata(&self) -> &MetadataMap {
        &self.0.metadata
    }

    /// Returns ESET's id of the request, for its support ([facts](crate::facts#errors)), if the response had
    /// one.
    pub fn request_id(&self) -> Option<&str> {
        self.0.metadata.as_ref().get(REQUEST_ID).and_then(|value| value.to_str().ok())
    }

    /// Returns how many times the request was sent, including attempts without a connection: once, and again
    /// for each retry. `0` if there was no attempt, because of a missing token or too little time.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns how long the service asked to wait before the next attempt, counted from this error
    /// (`grpc-retry-pushback-ms`, `google.rpc.RetryInfo`, `Retry-After`). The client waits that long before
    /// its own retries; if it could not, the wait exceeded the time left for the call.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the RPC that failed; `None` if the client could not even be built.
    pub fn rpc(&self) -> Option<&'static MethodSpec> {
        self.0.spec
    }

    /// Returns the HTTP status if the response came over REST.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status.map(|status| status.as_u16())
    }

    /// Whether the [`code`](Self::code) was inferred from the HTTP status, because the response did not
    /// contain a matching code. ESET's gateway maps three codes to 400, two to 409 and three to 500
    /// ([facts](crate::facts#errors)), so the actual code may be another of them.
    pub fn is_code_inferred(&self) -> bool {
        self.0.is_code_inferred
    }
}

/// Returns a code in the spelling of the gRPC specification, such as `NOT_FOUND`.
///
/// ```
/// assert_eq!(eset_protect::code_name(tonic::Code::NotFound), "NOT_FOUND");
/// ```
pub fn code_name(code: Code) -> &'static str {
    use crate::proto::google::rpc::Code as Names;
    Names::try_from(i32::from(code)).map_or("UNKNOWN", |code| code.as_str_name())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(spec) = self.0.spec {
            write!(f, "{}: ", spec.method)?;
        }
        write!(f, "{}: {}", code_name(self.0.code), self.0.message)?;
        match (self.0.attempts, self.request_id()) {
            (0 | 1, None) => Ok(()),
            (0 | 1, Some(id)) => write!(f, " (request-id {id})"),
            (attempts, None) => write!(f, " ({attempts} attempts)"),
            (attempts, Some(id)) => write!(f, " ({attempts} attempts, request-id {id})"),
        }
    }
}

impl fmt::Debug for Error {
    /// Omits the metadata, which may contain data that does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("details", &self.0.details)
            .field("rpc", &self.0.spec.map(|spec| spec.path))
            .field("http_status", &self.http_status())
            .field("attempts", &self.0.attempts)
            .field("request_id", &self.request_id())
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {}

/// Returns the cause of an error, also of one of ours.
pub(crate) fn cause<'a>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<Error>() {
        Some(error) => error.underlying().map(|cause| cause as _),
        None => error.source(),
    }
}

/// Returns the message of the innermost cause, which says what happened, or of the first one that is in plain
/// words.
pub(crate) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        #[cfg(feature = "tls")]
        if cause.is::<InWords>() {
            break;
        }
        cause = source;
    }
    cause.to_string()
}
