//! The REST front.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::{Code, Status};

use super::backend::{Backend, RestCall, RestFuture, RestResponse};
use super::deadline::Deadline;
use super::encoding::{self, Encoding};
use super::limits::RestLimits;
use super::rich_status::refused;
use super::{error_body, metadata};
use crate::framing::MessageLimit;
#[cfg(feature = "emulator")]
use crate::rpc::Deployment;
#[cfg(feature = "_connections")]
use crate::rpc::HttpBinding;
use crate::rpc::MethodSpec;
#[cfg(feature = "serve")]
use crate::transcode::code_from_http;
use crate::transcode::{Route, Router, TranscodeError, http_from_code};
use crate::wkt::TypeRegistry;

/// Returns the HTTP status of a failed call.
type StatusRule = fn(&MethodSpec, Code) -> u16;

/// Answers HTTP requests by the HTTP rules of RPCs, with any server: requests go in, whole responses come
/// out, for HTTP/1.1 and 2 alike.
///
/// * The body of a response is ProtoJSON with defaults ([facts](crate::facts#json)); that of a
///   `google.api.HttpBody` is its `data`, with its `content_type`.
/// * Errors are `{"code", "message", "details"}` with the HTTP status as the code, which is what
///   ESET's gateway does ([facts](crate::facts#errors)). Details name a field as the `.proto` files do, such as
///   `task.display_name`, whatever the spelling in the request: so do Google's gateways, and so the name is the same
///   over gRPC.
/// * A value without a JSON form does not make the response fail: it is written as
///   [`protojson`](crate::protojson#what-has-no-json-form) says.
/// * 401 has `WWW-Authenticate: Bearer`.
/// * An unknown path is 404, another method 405 with `Allow`, a body that is not JSON 415. In a path, `%3A` is part of a
///   value and begins no verb (RFC 3986, 2.2), as in Envoy: a value may end like one.
/// * A body may be compressed by gzip (`Content-Encoding`); unpacked it has the same limit.
/// * A call ends with 504 at the deadline that its header `grpc-timeout` sets.
/// * Headers become metadata and metadata becomes headers. Responses are not stored by caches (`Cache-Control: no-store`)
///   unless the metadata has that header, browsers take them for nothing else than their type, and scripts in a download
///   do not run.
#[derive(Clone)]
pub struct RestFront {
    router: Router,
    /// The RPCs by gRPC path.
    rpcs: BTreeMap<&'static str, &'static MethodSpec>,
    backends: BTreeMap<&'static str, Arc<dyn Backend>>,
    registry: TypeRegistry,
    limits: RestLimits,
    status: StatusRule,
    has_head: bool,
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
        Self { backends: by_path, ..Self::of(specs) }
    }

    /// Serves these RPCs to a server that calls them itself ([`answer_by`](Self::answer_by)).
    pub(crate) fn of(specs: Vec<&'static MethodSpec>) -> Self {
        Self {
            rpcs: specs.iter().map(|spec| (spec.path, *spec)).collect(),
            router: Router::new(specs),
            backends: BTreeMap::new(),
            registry: TypeRegistry::default().remember_enum_names(),
            limits: RestLimits::default(),
            status: |_, code| http_from_code(code),
            has_head: false,
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
        self.rpcs.retain(|_, spec| deployment.has(spec));
        self
    }

    /// Sets whether `HEAD` finds the RPC of `GET` (RFC 9110, 9.3.2). The server leaves out the body.
    #[cfg(feature = "_connections")]
    #[must_use]
    pub(crate) fn head(mut self, has_head: bool) -> Self {
        self.has_head = has_head;
        self
    }

    /// Returns the HTTP bindings of all RPCs.
    #[cfg(feature = "_connections")]
    pub(super) fn bindings(&self) -> impl Iterator<Item = (&MethodSpec, &HttpBinding)> {
        let all = self.rpcs.values().flat_map(|spec| spec.http.iter().map(|http| (*spec, http)));
        all.filter(|(_, http)| self.router.has(http))
    }

    /// Returns the RPC with this gRPC path.
    #[cfg(feature = "emulator")]
    pub(crate) fn spec(&self, path: &str) -> Option<&'static MethodSpec> {
        self.rpcs.get(path).copied()
    }

    /// Returns the RPC for a request; `None` if there is none.
    pub fn rpc(&self, method: &Method, path: &str) -> Option<&'static MethodSpec> {
        let route = self.route(method, path).ok().flatten()?;
        Some(route.spec())
    }

    fn route(&self, method: &Method, path: &str) -> Result<Option<Route>, TranscodeError> {
        let method = if self.has_head && method == Method::HEAD { &Method::GET } else { method };
        self.router.route(method.as_str(), path)
    }

    /// Returns the RPC for a request, of which [`answer`](Self::answer) need not look for it again.
    #[cfg(feature = "_connections")]
    pub(crate) fn find<B>(&self, request: &mut Request<B>) -> Option<&'static MethodSpec> {
        let route = self.route(request.method(), request.uri().path()).ok().flatten()?;
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
        let call = |call: RestCall| -> RestFuture {
            match self.backends.get(call.rpc().path) {
                Some(backend) => backend.call(call),
                None => Box::pin(call.unimplemented()),
            }
        };
        self.answer_by(request, call).await
    }

    /// Returns the response to a request, whose RPC this function calls.
    pub(crate) async fn answer_by<F>(
        &self,
        request: Request<Bytes>,
        call: impl FnOnce(RestCall) -> F,
    ) -> Response<Bytes>
    where
        F: Future<Output = Result<RestResponse, Status>>,
    {
        let (mut head, body) = request.into_parts();
        let path = head.uri.path();
        let found = head.extensions.remove().map(|route| Ok(Some(route)));
        let route = match found.unwrap_or_else(|| self.route(&head.method, path)) {
            Ok(Some(route)) => route,
            Ok(None) => return self.no_route(path),
            Err(error) => return self.failure_of(None, &refused(&error)),
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
        let deadline = match Deadline::of(&head.headers) {
            Ok(deadline) => deadline,
            Err(status) => return self.failure(spec, &status),
        };
        let asked = RestCall {
            route,
            query: head.uri.query().unwrap_or_default().to_owned(),
            body,
            metadata: metadata::of_request(head.headers, |_| false),
            extensions: head.extensions,
            registry: self.registry.clone(),
        };
        // Pinned first, because a future is copied whenever it is wrapped.
        match deadline.limit(pin!(call(asked))).await {
            Ok(Ok(response)) => success(response),
            Ok(Err(status)) | Err(status) => self.failure(spec, &status),
        }
    }

    /// Returns the response for a failed call of an RPC.
    pub fn failure(&self, spec: &MethodSpec, status: &Status) -> Response<Bytes> {
        self.failure_of(Some(spec), status)
    }

    /// Returns the response for a failed request, which may be for no RPC.
    pub(crate) fn failure_of(&self, spec: Option<&MethodSpec>, status: &Status) -> Response<Bytes> {
        let code = status.code();
        let http = spec.map_or_else(|| http_from_code(code), |spec| (self.status)(spec, code));
        let http = StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = error_body::of_status(http, status, &self.registry);
        response.extensions_mut().insert(code);
        if http == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().entry(header::WWW_AUTHENTICATE).or_insert(bearer);
        }
        response
    }

    /// Returns the code of the call that has this response.
    #[cfg(feature = "serve")]
    pub(crate) fn code<B>(response: &Response<B>) -> Code {
        let of_http = || code_from_http(response.status().as_u16());
        response.extensions().get().copied().unwrap_or_else(of_http)
    }

    /// Returns the response for a request that is not a call: an error in the form of ESET's gateway.
    pub fn error(status: StatusCode, message: &str) -> Response<Bytes> {
        error_body::error(status, message)
    }

    fn no_route(&self, path: &str) -> Response<Bytes> {
        let mut methods = self.router.methods(path);
        if methods.is_empty() {
            return Self::error(StatusCode::NOT_FOUND, "there is no such path");
        }
        if self.has_head && methods.contains(&"GET") {
            methods.push("HEAD");
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
            .field("rpcs", &self.rpcs.keys())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn success(rest: RestResponse) -> Response<Bytes> {
    let mut response = Response::new(rest.body);
    let mut headers = metadata::to_headers(rest.metadata);
    if rest.content_type != "application/json" {
        // Whoever made the body must not act as this server's own page.
        let sandbox = HeaderValue::from_static("default-src 'none'; sandbox");
        headers.insert(header::CONTENT_SECURITY_POLICY, sandbox);
    }
    headers.insert(header::CONTENT_TYPE, rest.content_type);
    *response.headers_mut() = headers;
    response
}
