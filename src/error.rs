//! The one error of all calls.

#[cfg(feature = "tls")]
mod in_words;
mod predicates;
mod secrets;
mod status;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tonic::Code;
use tonic::metadata::MetadataMap;

pub(crate) use secrets::Secrets;

use crate::rpc::MethodSpec;
use crate::wkt::Any;
#[cfg(feature = "tls")]
pub(crate) use in_words::InWords;

/// Why a call failed, the same on every wire.
///
/// The [`code`](Self::code) says what kind of failure it is and the `is_*` methods say what a caller
/// can do. [`may_have_executed`](Self::may_have_executed) is the question to ask before a call that is
/// not idempotent is made again.
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
/// Cloning it copies what it says and shares its sources. A server that forwards calls returns it as a
/// [`tonic::Status`] with the same code, message, details and metadata.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    code: Code,
    message: String,
    details: Vec<Any>,
    metadata: MetadataMap,
    spec: Option<&'static MethodSpec>,
    http_status: Option<http::StatusCode>,
    is_code_inferred: bool,
    /// Whether the call may have run, where the kind and the code would say it wrongly.
    may_have_executed: Option<bool>,
    /// The request provably never reached the service.
    is_unsent: bool,
    /// The connection, or its end, refused the request unprocessed.
    is_refused: bool,
    /// Whether the same call may succeed a little later, where the kind and the code would say it
    /// wrongly.
    is_retryable: Option<bool>,
    /// How often the request was sent, if the call came so far.
    attempts: u32,
    /// How long the service asks to wait.
    retry_after: Option<Duration>,
    /// The `response-id` of the pending answer that was asked for.
    pending_id: Option<http::HeaderValue>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Who raised an error, and how far the call had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration or the request is wrong. Nothing was sent.
    Config,
    /// No connection: refused, also by a proxy, not resolved, TLS failed, or the server did not begin to speak
    /// HTTP/2 where it had to. Nothing was sent.
    Connect,
    /// The connection broke, or the server does not speak the protocol. The call may have run, unless
    /// [`may_have_executed`](Error::may_have_executed) says that it did not: the server refused it
    /// unprocessed, or nothing was sent.
    Transport,
    /// The deadline passed. The call may have run.
    Deadline,
    /// A message is over a limit of this client.
    Limit,
    /// The service answered with an error.
    Status,
}

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
            attempts: 0,
            retry_after: None,
            pending_id: None,
            source: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, Code::InvalidArgument, message)
    }

    /// The server does not keep to the protocol.
    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transport, Code::Internal, message)
    }

    /// The same error of a login, which says so.
    #[cfg(feature = "rest")]
    pub(crate) fn of_login(mut self, code: Code, what: &str) -> Self {
        self.0.is_code_inferred |= self.0.code != code;
        self.0.code = code;
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// The same answer, which is no answer to the call.
    #[cfg(feature = "rest")]
    pub(crate) fn into_protocol(mut self, message: String) -> Self {
        self.0.kind = ErrorKind::Transport;
        self.0.code = Code::Internal;
        self.0.message = message;
        self
    }

    /// Says whether the call may have run, where the kind and the code would say it wrongly.
    pub(crate) fn with_execution(mut self, may_have_executed: bool) -> Self {
        self.0.may_have_executed = Some(may_have_executed);
        self
    }

    /// Says that the request provably never reached the service.
    pub(crate) fn unsent(mut self) -> Self {
        self.0.is_unsent = true;
        self.with_execution(false)
    }

    /// Says that a connection refused the request unprocessed, or ended before any of it was written. That
    /// says nothing about the health of the service.
    pub(crate) fn refused(mut self) -> Self {
        self.0.is_refused = true;
        self.unsent()
    }

    /// Whether a connection refused the request unprocessed.
    pub(crate) fn is_refused(&self) -> bool {
        self.0.is_refused
    }

    /// Whether the request provably never reached the service, so that the same call can be made again,
    /// whatever it does. Not where something else is known of the call, as that its answer is pending.
    pub(crate) fn is_unsent(&self) -> bool {
        (self.0.is_unsent || self.kind() == ErrorKind::Connect) && !self.may_have_executed()
    }

    /// Says that the same call fails for as long as nobody mends the cause.
    pub(crate) fn permanent(mut self) -> Self {
        self.0.is_retryable = Some(false);
        self
    }

    /// Whether the same call is known to fail for as long as nobody mends the cause.
    #[cfg(feature = "automation")]
    pub(crate) fn is_permanent(&self) -> bool {
        self.0.is_retryable == Some(false)
    }

    /// Says that the same call may succeed a little later.
    pub(crate) fn transient(mut self) -> Self {
        self.0.is_retryable = Some(true);
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Whether the request was not even tried to be sent.
    pub(crate) fn is_before_sending(&self) -> bool {
        matches!(self.kind(), ErrorKind::Config | ErrorKind::Deadline | ErrorKind::Limit)
            && !self.may_have_executed()
    }

    /// Names the error of the attempt before, whose retry came to nothing.
    pub(crate) fn after(mut self, last: Self) -> Self {
        let (code, message) = (code_name(last.code()), last.message());
        self.0.message = format!("{}; before that, {code}: {message}", self.0.message);
        if self.0.metadata.is_empty() {
            self.0.metadata = last.metadata().clone();
        }
        self.with_source(last)
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Remembers that this is what came of asking for a pending answer.
    pub(crate) fn with_pending_id(mut self, id: http::HeaderValue) -> Self {
        self.0.pending_id = Some(id);
        self
    }

    /// The pending answer that was asked for: the call runs, and must not be begun again.
    pub(crate) fn pending_id(&self) -> Option<&http::HeaderValue> {
        self.0.pending_id.as_ref()
    }

    /// Adds to the message what else is known.
    #[cfg(feature = "automation")]
    pub(crate) fn with_note(mut self, note: &str) -> Self {
        self.0.message = format!("{}; {note}", self.0.message);
        self
    }

    pub(crate) fn with_http_status(mut self, status: http::StatusCode) -> Self {
        self.0.http_status = Some(status);
        self
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

    /// Who raised the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What went wrong, for a person. Where a service or a proxy quotes the token, the password or another secret
    /// that the request had, in whatever spelling, it is `[redacted]` here, in the metadata and in the sources,
    /// and `***` in the [details](Self::details). [`CallOptions::metadata`](crate::CallOptions::metadata) says
    /// which metadata is a secret.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Typed details of the service, such as `google.rpc.BadRequest`.
    pub fn details(&self) -> &[Any] {
        &self.0.details
    }

    /// The first detail of a type, unpacked; `None` if there is none, or its bytes are corrupt.
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

    /// What came with the error: headers and trailers. So is the metadata of an answer
    /// ([`Call::send`](crate::Call::send)). What HTTP itself needs is no metadata, over either wire; forwarded,
    /// it would break the next stream:
    ///
    /// | left out | because |
    /// |---|---|
    /// | `content-type`, `content-length`, `content-encoding`, `content-range`, `accept-ranges`, `transfer-encoding`, `trailer` | they describe one body (RFC 9110, 8; RFC 9112, 6) |
    /// | `connection` and what it names, `keep-alive`, `proxy-connection`, `te`, `upgrade`, `http2-settings` | they are of one connection (RFC 9110, 7.6.1) |
    /// | `date`, `server`, `via`, `alt-svc` | they are of one server, or of a proxy before it |
    /// | `set-cookie`, `cookie`, `authorization`, `proxy-authorization`, `proxy-authenticate`, `proxy-authentication-info` | they are credentials, or about those of a proxy |
    /// | `grpc-status`, `grpc-message`, `grpc-status-details-bin`, `grpc-encoding`, `grpc-accept-encoding` | they are in the status, or of one message |
    ///
    /// All others stay, such as `request-id`, `retry-after` and `grpc-retry-pushback-ms`.
    pub fn metadata(&self) -> &MetadataMap {
        &self.0.metadata
    }

    /// ESET's identifier of the request, for its support ([facts](crate::facts#errors)), if one came.
    pub fn request_id(&self) -> Option<&str> {
        self.0.metadata.get("request-id").and_then(|value| value.to_str().ok())
    }

    /// How often the request was sent, or was to be sent where there was no connection: once, and again for
    /// each retry. `0` if it never came so far, for lack of a token or of time.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the service asked to wait before the next attempt, from when this error came
    /// (`grpc-retry-pushback-ms`, `google.rpc.RetryInfo`, `Retry-After`). The client has obeyed already
    /// if it could; where it could not, the wait was longer than the call had time.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The RPC that failed; `None` where the client could not even be built.
    pub fn rpc(&self) -> Option<&'static MethodSpec> {
        self.0.spec
    }

    /// The HTTP status, where the answer came over REST.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status.map(|status| status.as_u16())
    }

    /// The [`code`](Self::code) was inferred from the HTTP status, because the answer did not say one
    /// that fits. ESET's gateway makes 400 of three codes, 409 of two and 500 of three
    /// ([facts](crate::facts#errors)), so another of them may be meant.
    pub fn is_code_inferred(&self) -> bool {
        self.0.is_code_inferred
    }
}

/// A code in the spelling of the gRPC specification, such as `NOT_FOUND`.
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
    /// Without metadata, which may hold what does not belong in a log.
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

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

/// The innermost message of an error, which says what happened; or that which is in plain words.
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
