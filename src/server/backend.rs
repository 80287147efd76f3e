//! Calls RPCs for a REST front.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::HeaderValue;
#[cfg(feature = "_connections")]
use prost::{Message, Name};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use super::rich_status::refused;
use crate::proto::google::api::HttpBody;
use crate::protojson::{Reader, Writer};
use crate::rpc::{MethodSpec, Rpc};
#[cfg(feature = "_connections")]
use crate::transcode::RpcTypes;
use crate::transcode::{Route, TranscodeError};
use crate::wkt::TypeRegistry;

/// The media type of a body that names none (RFC 9110, 8.3).
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// A pending response.
pub type RestFuture = Pin<Box<dyn Future<Output = Result<RestResponse, Status>> + Send>>;

/// Implements RPCs. The build script generates one backend per service, such as
/// [`DeviceTasks`](super::DeviceTasks). To forward calls to another server, implement it yourself with
/// [`rpc::visit`](crate::rpc::visit) and [`RestCall::answer`].
pub trait Backend: Send + Sync + 'static {
    /// Returns the RPCs that this backend implements.
    fn methods(&self) -> &'static [&'static MethodSpec];

    /// Calls one of these RPCs.
    fn call(&self, call: RestCall) -> RestFuture;
}

/// Encodes a request from its values in the path, the query and the body.
#[cfg(feature = "_connections")]
type ReadRequest = fn(RpcTypes, &Route, &str, &[u8]) -> Result<Vec<u8>, TranscodeError>;

/// A call that arrived as an HTTP request.
pub struct RestCall {
    pub(super) route: Route,
    pub(super) query: String,
    pub(super) body: Bytes,
    pub(super) metadata: MetadataMap,
    pub(super) extensions: http::Extensions,
    pub(super) registry: TypeRegistry,
}

/// The response to a [`RestCall`]: metadata and a body, which is JSON or that of a `google.api.HttpBody`.
#[derive(Debug)]
pub struct RestResponse {
    pub(super) metadata: MetadataMap,
    pub(super) content_type: HeaderValue,
    pub(super) body: Bytes,
}

impl RestCall {
    /// Returns the RPC.
    pub fn rpc(&self) -> &'static MethodSpec {
        self.route.spec()
    }

    /// Returns the body of the HTTP request.
    #[cfg(feature = "serve")]
    pub(crate) fn body(&self) -> &Bytes {
        &self.body
    }

    /// Reads and writes JSON with the types of this registry instead of the front's.
    #[cfg(feature = "serve")]
    pub(crate) fn with_registry(mut self, registry: TypeRegistry) -> Self {
        self.registry = registry;
        self
    }

    /// Parses the request, calls `handle` and writes the response, including default values as ESET does
    /// ([facts](crate::facts#json)).
    ///
    /// # Errors
    ///
    /// Returns the error of `handle`; `INVALID_ARGUMENT` with a `google.rpc.BadRequest` if the HTTP request
    /// is not a valid `R`; `INTERNAL` if the response has no JSON form.
    pub async fn answer<R, H, F>(self, handle: H) -> Result<RestResponse, Status>
    where
        R: Rpc,
        H: FnOnce(Request<R::Request>) -> F + Send,
        F: Future<Output = Result<Response<R::Response>, Status>> + Send,
    {
        let (responder, request) =
            self.read(|route, query, body| route.request::<R>(query, body))?;
        let (metadata, message, _) = handle(request).await?.into_parts();
        let http_body = (&message as &dyn std::any::Any).downcast_ref::<HttpBody>();
        match http_body {
            Some(body) => download(metadata, body),
            None => responder.respond(metadata, |route| route.response::<R>(&message)),
        }
    }

    /// Does the same with encoded messages, for any RPC. `read` is that of the request.
    #[cfg(feature = "_connections")]
    pub(crate) async fn answer_encoded<F>(
        self,
        types: RpcTypes,
        read: ReadRequest,
        handle: impl FnOnce(Request<Bytes>) -> F,
    ) -> Result<RestResponse, Status>
    where
        F: Future<Output = Result<Response<Bytes>, Status>>,
    {
        let (responder, request) =
            self.read(|route, query, body| read(types, route, query, body))?;
        let (metadata, message, _) = handle(request.map(Bytes::from)).await?.into_parts();
        if responder.route.spec().response != HttpBody::full_name() {
            return responder.respond(metadata, |route| types.response(route, &message));
        }
        let body = HttpBody::decode(message)
            .map_err(|error| Status::internal(format!("the response is no HttpBody: {error}")))?;
        download(metadata, &body)
    }

    /// Parses the request with a function.
    fn read<T>(
        self,
        read: impl FnOnce(&Route, &str, &[u8]) -> Result<T, TranscodeError>,
    ) -> Result<(Responder, Request<T>), Status> {
        let Self { route, query, body, metadata, extensions, registry } = self;
        let message = Reader::new()
            .registry(registry.clone())
            .scope(|| read(&route, &query, &body))
            .map_err(|error| refused(&error))?;
        Ok((Responder { route, registry }, Request::from_parts(metadata, extensions, message)))
    }

    /// Returns the response of a backend that does not implement the RPC.
    ///
    /// # Errors
    ///
    /// Always returns `UNIMPLEMENTED`.
    pub async fn unimplemented(self) -> Result<RestResponse, Status> {
        Err(Status::unimplemented(format!("{} is not implemented", self.rpc().path)))
    }
}

/// Writes the response to a call.
struct Responder {
    route: Route,
    registry: TypeRegistry,
}

impl Responder {
    /// Writes the message with a function.
    fn respond(
        self,
        metadata: MetadataMap,
        write: impl FnOnce(&Route) -> Result<Vec<u8>, TranscodeError>,
    ) -> Result<RestResponse, Status> {
        let body = Writer::new()
            .emit_defaults(true)
            .registry(self.registry)
            .scope(|| write(&self.route))
            .map_err(|error| Status::internal(format!("the response has no JSON form: {error}")))?;
        let content_type = HeaderValue::from_static("application/json");
        Ok(RestResponse { metadata, content_type, body: body.into() })
    }
}

/// Returns the response that is a body of its own type.
fn download(metadata: MetadataMap, body: &HttpBody) -> Result<RestResponse, Status> {
    let HttpBody { content_type, data, .. } = body;
    let content_type = if content_type.is_empty() { UNKNOWN_TYPE } else { content_type };
    let content_type = HeaderValue::try_from(content_type)
        .map_err(|_| Status::internal(format!("content_type {content_type:?} is no media type")))?;
    Ok(RestResponse { metadata, content_type, body: data.clone() })
}

impl fmt::Debug for RestCall {
    /// Omits what the caller sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestCall").field("rpc", &self.rpc().path).finish_non_exhaustive()
    }
}
