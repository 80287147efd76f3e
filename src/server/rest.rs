//! The REST front.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::{Code, Status};

use super::backend::{Backend, RestCall, RestResponse};
use super::deadline::Deadline;
use super::encoding::{self, Encoding};
use super::limits::RestLimits;
use super::{error_body, metadata};
use crate::framing::MessageLimit;
#[cfg(feature = "emulator")]
use crate::rpc::Deployment;
use crate::rpc::MethodSpec;
#[cfg(feature = "serve")]
use crate::transcode::code_from_http;
use crate::transcode::{Router, http_from_code};
use crate::wkt::TypeRegistry;

/// Returns the HTTP status of a failed call.
type StatusRule = fn(&MethodSpec, Code) -> u16;

/// Answers HTTP requests by the HTTP rules of RPCs, with any server: requests go in, whole responses come
/// out, for HTTP/1.1 and 2 alike.
///
/// * The body of a response is ProtoJSON with defaults ([facts](crate::facts#json)); that of a
///   `google.api.HttpBody` is its `data`, with its `content_type`.
/// * Errors are `{"code", "message", "details"}` with the HTTP status as the code, which is what
///   ESET's gateway does ([facts](crate::facts#errors)).
/// * A value without a JSON form does not make the response fail: it is written as
///   [`protojson`](crate::protojson#what-has-no-json-form) says.
/// * 401 has `WWW-Authenticate: Bearer`.
/// * An unknown path is 404, another method 405 with `Allow`, a body that is not JSON 415.
/// * A body may be compressed by gzip (`Content-Encoding`); unpacked it has the same limit.
/// * A call ends with 504 at the deadline that its header `grpc-timeout` sets.
/// * Headers become metadata and metadata becomes headers.
#[derive(Clone)]
pub struct RestFront {
    router: Router,
    backends: BTreeMap<&'static str, Arc<dyn Backend>>,
    registry: TypeRegistry,
    limits: RestLimits,
    status: StatusRule,
}

impl RestFront {
    /// Serves the RPCs of these backends.
    pub fn new(backends: impl IntoIterator<Item = Arc<dyn Backend>>) -> Self {
        let mut by_path = BTreeMap::new();
        let mut specs = Vec::new();
        for backend in backends {
            for spec in backend.methods() {
                specs.push(*spec);
                by_path.insert(spec.path, Arc::clone(&backend));
            }
        }
        Self {
            router: Router::new(specs),
            backends: by_path,
            registry: TypeRegistry::default().remember_enum_names(),
            limits: RestLimits::default(),
            status: |_, code| http_from_code(code),
        }
    }

    /// Adds types for `Any`s.
    #[must_use]
    pub fn registry(mut self, registry: TypeRegistry) -> Self {
        self.registry = registry.remember_enum_names();
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: RestLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the rule for the HTTP status of failed calls, instead of [`http_from_code`].
    #[must_use]
    pub fn status_rule(mut self, rule: fn(&MethodSpec, Code) -> u16) -> Self {
        self.status = rule;
        self
    }

    /// Keeps what a deployment has.
    #[cfg(feature = "emulator")]
    #[must_use]
    pub(crate) fn keep(mut self, deployment: Deployment) -> Self {
        self.router.keep(deployment);
        self
    }

    /// Returns the RPC for a request; `None` if there is none.
    pub fn rpc(&self, method: &Method, path: &str) -> Option<&'static MethodSpec> {
        let route = self.router.route(method.as_str(), path).ok().flatten()?;
        Some(route.spec())
    }

    /// Returns the RPC for a request, of which [`answer`](Self::answer) need not look for it again.
    #[cfg(feature = "_connections")]
    pub(crate) fn find<B>(&self, request: &mut Request<B>) -> Option<&'static MethodSpec> {
        let route = self.router.route(request.method().as_str(), request.uri().path());
        let route = route.ok().flatten()?;
        let spec = route.spec();
        request.extensions_mut().insert(route);
        Some(spec)
    }

    /// Reads a whole request within the limits and unpacks its body.
    ///
    /// # Errors
    ///
    /// Returns the response to send if the request is too large, too slow or not valid gzip.
    pub async fn read<B>(&self, request: Request<B>) -> Result<Request<Bytes>, Response<Bytes>>
    where
        B: http_body::Body<Data = Bytes>,
    {
        self.read_if(Some(usize::MAX.into()), request).await
    }

    /// Does the same with a body that is also within this limit, or takes a request without its body, so that nobody
    /// fills the memory without a token.
    pub(crate) async fn read_if<B>(
        &self,
        limit: Option<MessageLimit>,
        request: Request<B>,
    ) -> Result<Request<Bytes>, Response<Bytes>>
    where
        B: http_body::Body<Data = Bytes>,
    {
        let (mut head, body) = request.into_parts();
        let checked = self.limits.check_head(&head);
        let Some(MessageLimit { bytes, setting }) = limit else {
            checked?;
            return Ok(Request::from_parts(head, Bytes::new()));
        };
        let limit = MessageLimit { bytes: bytes.min(self.limits.max_body), setting };
        let read = match checked {
            Ok(()) => self.limits.read(body, limit).await,
            Err(refusal) => Err(refusal),
        };
        let body = read.map_err(|refusal| {
            let mut response = Response::from(refusal);
            // The rest of the body is not read, so the connection cannot be reused.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        })?;
        if !matches!(Encoding::of(&head.headers), Encoding::Gzip) {
            return Ok(Request::from_parts(head, body));
        }
        let body = encoding::gunzip(&body, limit)?;
        head.headers.remove(header::CONTENT_ENCODING);
        head.headers.remove(header::CONTENT_LENGTH);
        Ok(Request::from_parts(head, body))
    }

    /// Calls the RPC for a request and returns the response.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (mut head, body) = request.into_parts();
        let path = head.uri.path();
        let found = head.extensions.remove().map(|route| Ok(Some(route)));
        let route = match found.unwrap_or_else(|| self.router.route(head.method.as_str(), path)) {
            Ok(Some(route)) => route,
            Ok(None) => return self.no_route(path),
            Err(error) => return Self::error(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        if !body.is_empty() && !matches!(Encoding::of(&head.headers), Encoding::Identity) {
            let message = "content-encoding: expected gzip or none";
            let mut response = Self::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
            response.headers_mut().insert(header::ACCEPT_ENCODING, encoding::ACCEPTED);
            return response;
        }
        if !body.is_empty() && !encoding::has_media_type(&head.headers, b"application/json") {
            let message = "content-type: expected application/json";
            return Self::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        }
        let spec = route.spec();
        let Some(backend) = self.backends.get(spec.path) else { return self.no_route(path) };
        let deadline = match Deadline::of(&head.headers) {
            Ok(deadline) => deadline,
            Err(status) => return self.failure(spec, &status),
        };
        let call = RestCall {
            route,
            query: head.uri.query().unwrap_or_default().to_owned(),
            body,
            metadata: metadata::of_request(head.headers, |_| false),
            extensions: head.extensions,
            registry: self.registry.clone(),
        };
        match deadline.limit(backend.call(call)).await {
            Ok(Ok(response)) => success(response),
            Ok(Err(status)) | Err(status) => self.failure(spec, &status),
        }
    }

    /// Returns the response for a failed call of an RPC.
    pub fn failure(&self, spec: &MethodSpec, status: &Status) -> Response<Bytes> {
        let http = (self.status)(spec, status.code());
        let http = StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = error_body::of_status(http, status, &self.registry);
        response.extensions_mut().insert(status.code());
        if http == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().entry(header::WWW_AUTHENTICATE).or_insert(bearer);
        }
        response
    }

    /// Returns the code of the call that has this response.
    #[cfg(feature = "serve")]
    pub(crate) fn code(response: &Response<Bytes>) -> Code {
        let of_http = || code_from_http(response.status().as_u16());
        response.extensions().get().copied().unwrap_or_else(of_http)
    }

    /// Returns the response for a request that is not a call: an error in the form of ESET's gateway.
    pub fn error(status: StatusCode, message: &str) -> Response<Bytes> {
        error_body::respond(status, message, &[])
    }

    fn no_route(&self, path: &str) -> Response<Bytes> {
        let methods = self.router.methods(path);
        if methods.is_empty() {
            return Self::error(StatusCode::NOT_FOUND, "there is no such path");
        }
        let allow = methods.join(", ");
        let message = format!("expected {allow}");
        let mut response = Self::error(StatusCode::METHOD_NOT_ALLOWED, &message);
        if let Ok(allow) = HeaderValue::try_from(allow) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

impl fmt::Debug for RestFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestFront")
            .field("rpcs", &self.backends.keys())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn success(rest: RestResponse) -> Response<Bytes> {
    let mut response = Response::new(rest.body);
    *response.headers_mut() = metadata::to_headers(rest.metadata);
    response.headers_mut().insert(header::CONTENT_TYPE, rest.content_type);
    response
}
