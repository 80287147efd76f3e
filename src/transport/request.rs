//! The request of one attempt.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use prost::DecodeError;
use tonic::metadata::MetadataMap;

use super::reply::{Body, Reply};
use crate::error::{Error, REQUEST_ID, Secrets};
use crate::framing::{PREFIX, seal};
#[cfg(feature = "rest")]
use crate::proto::google::rpc::{BadRequest, bad_request::FieldViolation};
#[cfg(feature = "rest")]
use crate::rpc::HttpBinding;
use crate::rpc::MethodSpec;
#[cfg(feature = "rest")]
use crate::transcode::{Encoded, TranscodeError};
#[cfg(feature = "rest")]
use crate::wkt::{Any, TypeRegistry};

/// The messages of one call, without their types.
pub(crate) trait Messages: Sync {
    /// Appends the request as protobuf.
    fn encode(&self, buffer: &mut Vec<u8>);

    /// Decodes the response from protobuf, and returns whether it has its output.
    fn decode(&self, bytes: Bytes) -> Result<bool, DecodeError>;

    /// Encodes the request as HTTP by one of these bindings; `None` if the RPC has no such form.
    #[cfg(feature = "rest")]
    fn encode_http(
        &self,
        _bindings: &'static [HttpBinding],
    ) -> Option<Result<Encoded, TranscodeError>> {
        None
    }

    /// Whether the JSON of the response may have a member of this name.
    #[cfg(feature = "rest")]
    fn has_member(&self, _name: &str) -> bool {
        true
    }

    /// Returns the types that the details of an error may have; `None` if they are those of the crate.
    #[cfg(feature = "rest")]
    fn type_registry(&self) -> Option<&TypeRegistry> {
        None
    }

    /// Decodes the response from the body of an HTTP response to that request.
    #[cfg(feature = "rest")]
    fn decode_http(&self, _request: &Encoded, _body: &[u8]) -> Result<bool, TranscodeError> {
        Ok(true)
    }
}

/// A call as the wires see it. Each form is made when a wire first asks for it, and once.
pub(crate) struct Outgoing<'a> {
    spec: &'static MethodSpec,
    messages: &'a dyn Messages,
    /// With the prefix of gRPC.
    framed: OnceLock<Bytes>,
    /// By each set of bindings.
    #[cfg(feature = "rest")]
    http: [OnceLock<HttpForm>; 2],
    /// Whether the server has the older HTTP bindings of the RPC only.
    is_older: AtomicBool,
    /// Whether the head of a response to the last request has arrived.
    has_head: AtomicBool,
}

/// The request of a call as HTTP: a method, a path with a query, and a body.
#[cfg(feature = "rest")]
#[derive(Debug)]
pub struct HttpForm {
    encoded: Encoded,
    body: Option<Bytes>,
}

#[cfg(feature = "rest")]
impl HttpForm {
    /// Returns the HTTP method, such as `GET`.
    pub fn method(&self) -> &'static str {
        self.encoded.method
    }

    /// Returns the path and the query, such as `/v1/device_tasks?pageSize=10`.
    pub fn path_and_query(&self) -> &str {
        &self.encoded.path_and_query
    }

    /// Returns the JSON body; `None` for a method without a body.
    pub fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(spec: &'static MethodSpec, messages: &'a dyn Messages) -> Self {
        Self {
            spec,
            messages,
            framed: OnceLock::new(),
            #[cfg(feature = "rest")]
            http: [const { OnceLock::new() }; 2],
            is_older: AtomicBool::new(false),
            has_head: AtomicBool::new(false),
        }
    }

    /// Sets whether the server has the older HTTP bindings of the RPC only.
    pub(crate) fn set_older(&self, is_older: bool) {
        self.is_older.store(is_older, Ordering::Relaxed);
    }

    pub(crate) fn is_older(&self) -> bool {
        self.is_older.load(Ordering::Relaxed)
    }

    /// Sets whether the head of a response to the last request has arrived.
    pub(crate) fn set_head(&self, has_head: bool) {
        self.has_head.store(has_head, Ordering::Relaxed);
    }

    pub(crate) fn has_head(&self) -> bool {
        self.has_head.load(Ordering::Relaxed)
    }

    pub(crate) fn spec(&self) -> &'static MethodSpec {
        self.spec
    }

    fn framed(&self) -> &Bytes {
        self.framed.get_or_init(|| {
            // Room for a small request as well.
            let mut buffer = Vec::with_capacity(64);
            buffer.resize(PREFIX, 0);
            self.messages.encode(&mut buffer);
            seal(&mut buffer, false);
            buffer.into()
        })
    }

    #[cfg(feature = "rest")]
    pub(super) fn messages(&self) -> &'a dyn Messages {
        self.messages
    }

    #[cfg(feature = "rest")]
    pub(super) fn http(&self) -> Result<&HttpForm, Error> {
        let first = usize::from(self.is_older());
        let made = &self.http[first];
        if let Some(form) = made.get() {
            return Ok(form);
        }
        let bindings = self.spec.http.get(first..).unwrap_or_default();
        let encoded = self.messages.encode_http(bindings);
        let encoded = encoded.ok_or_else(|| Error::config("the RPC has no HTTP form"))?;
        let mut encoded = encoded.map_err(invalid)?;
        let body = encoded.body.take().map(Bytes::from);
        Ok(made.get_or_init(|| HttpForm { encoded, body }))
    }

    /// Decodes the response in a reply.
    pub(crate) fn decode(&self, reply: &Reply) -> Result<(), Error> {
        let decoded = match reply.body() {
            Body::Protobuf(bytes) => self
                .messages
                .decode(bytes.clone())
                .map_err(|error| format!("the response is not a valid message: {error}")),
            #[cfg(feature = "rest")]
            Body::Json(bytes) => {
                self.messages.decode_http(&self.http()?.encoded, bytes).map_err(|error| {
                    format!("the response is not a valid {}: {error}", self.spec.response)
                })
            }
            // It is still to come.
            Body::Pending(_) => return Ok(()),
        };
        let error = match decoded {
            Ok(true) => return Ok(()),
            // The server would omit it again.
            Ok(false) => {
                let field = self.spec.output_field;
                Error::protocol(format!("the response has no `{field}`")).permanent()
            }
            Err(problem) => Error::protocol(problem),
        };
        Err(error.with_metadata(reply.metadata().clone()).with_http_status(reply.http_status()))
    }
}

/// The secrets among the headers of a request, looked for when somebody needs them.
pub(crate) struct SentSecrets<'a> {
    headers: &'a HeaderMap,
    found: OnceLock<Secrets>,
}

impl<'a> SentSecrets<'a> {
    pub(crate) fn new(headers: &'a HeaderMap) -> Self {
        Self { headers, found: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> &Secrets {
        self.found.get_or_init(|| Secrets::of(self.headers))
    }

    /// Redacts the request id of a successful response, which telemetry shows.
    pub(crate) fn redact_request_id(&self, headers: &mut HeaderMap) {
        if !self.headers.is_empty() && headers.contains_key(REQUEST_ID) {
            self.get().redact_request_id(headers);
        }
    }
}

/// The request of one attempt, as a [`Transport`](super::Transport) gets it.
///
/// The message is encoded for a wire when it is first asked for, once a call: attempts share the bytes.
#[derive(Clone)]
pub struct Request<'a> {
    pub(crate) outgoing: &'a Outgoing<'a>,
    pub(crate) metadata: MetadataMap,
    /// Returns the time that the server has.
    pub(crate) timeout: Duration,
    /// The attempt ends before the call does.
    pub(crate) is_bounded: bool,
    pub(crate) attempt: u32,
    pub(crate) pending_id: Option<&'a HeaderValue>,
    #[cfg_attr(not(feature = "rest"), allow(dead_code))]
    pub(crate) secrets: &'a SentSecrets<'a>,
}

impl Request<'_> {
    /// Returns the RPC.
    pub fn spec(&self) -> &'static MethodSpec {
        self.outgoing.spec
    }

    /// Returns the request message as protobuf: a part of [`framed`](Self::framed), so nothing is copied.
    pub fn protobuf(&self) -> Bytes {
        self.outgoing.framed().slice(PREFIX..)
    }

    /// Returns the request message with the prefix of gRPC's framing: five bytes that say that it is not compressed,
    /// and its length.
    pub fn framed(&self) -> &Bytes {
        self.outgoing.framed()
    }

    /// Returns the request as HTTP, by its `google.api.http` binding.
    ///
    /// # Errors
    ///
    /// If the request has no HTTP form, such as one whose uuid is empty
    /// ([`ErrorKind::Config`](crate::ErrorKind::Config)). Return the error: the caller gets it.
    #[cfg(feature = "rest")]
    pub fn http(&self) -> Result<&HttpForm, Error> {
        self.outgoing.http()
    }

    /// Returns the metadata, with the access token and the trace context in it.
    pub fn metadata(&self) -> &MetadataMap {
        &self.metadata
    }

    /// Returns the metadata, to be changed by a layer. The client does not redact secrets that a layer adds here;
    /// it redacts those that an [interceptor](crate::ClientBuilder::interceptor) adds.
    pub fn metadata_mut(&mut self) -> &mut MetadataMap {
        &mut self.metadata
    }

    /// Returns how long the server has, for `grpc-timeout`. The client drops the future when the time is up,
    /// so a transport needs no timer.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns which attempt of the call this is; the first is 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns the identifier of the pending response that this request asks for
    /// ([facts](crate::facts#pending-responses)); `None` for a request that begins the call.
    pub fn pending_id(&self) -> Option<&HeaderValue> {
        self.pending_id
    }
}

/// Returns the error of a request that has no HTTP form, with the details that a server would give.
#[cfg(feature = "rest")]
fn invalid(error: TranscodeError) -> Error {
    let invalid = Error::config(error.to_string());
    if error.field().is_empty() {
        return invalid.with_source(error);
    }
    let (field, description) = (error.field().to_owned(), error.problem().to_owned());
    let violation = FieldViolation { field, description, ..FieldViolation::default() };
    let detail = Any::pack(&BadRequest { field_violations: vec![violation] });
    invalid.with_details(vec![detail]).with_source(error)
}

impl fmt::Debug for Request<'_> {
    /// Shows neither the message nor the metadata: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("rpc", &self.spec().path)
            .field("timeout", &self.timeout)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
