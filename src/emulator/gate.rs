//! Processes every request before its service: log, logins, limits, faults and pending responses.

mod injected;
mod logins;
mod openapi;
mod pending;
mod rate;
mod settings;
mod tokens;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::BoxError;

use self::injected::{broken, injected, plain};
use self::pending::{Pending, RESPONSE_ID};
use self::rate::RateLimit;
pub(super) use self::settings::Settings;
use self::tokens::Tokens;
use super::api::Api;
use super::faults::{Fault, Faults, Kind};
use super::fingerprint::Fingerprint;
use super::log::{Arrival, Front, Log};
use crate::rpc::MethodSpec;
use crate::server::browsers::Browsers;
use crate::server::connections::Peer;
use crate::server::deadline::Deadline;
use crate::server::head::{self, bearer, full, is_grpc};
use crate::server::pages::{self, About};
use crate::server::{RestFront, RestLimits, bounded, encoded, introspection};

/// The header with the id of every response ([facts](crate::facts#errors)).
const REQUEST_ID: &str = "request-id";

const ABOUT: About = About {
    title: "ESET PROTECT emulator",
    text: "A stand-in for ESET's services, over gRPC and REST on this port.",
};

/// The state shared by all connections.
pub(super) struct Gate {
    settings: Settings,
    api: Api,
    rest: RestFront,
    /// The OpenAPI document of what the deployment has.
    openapi: OnceLock<Bytes>,
    browsers: Browsers,
    tokens: Tokens,
    rate: RateLimit,
    pending: Pending,
    log: Log,
}

impl Gate {
    pub(super) fn new(settings: Settings, api: Api, rest: RestFront) -> Self {
        let limits = RestLimits { body_time: settings.limits.body_time, ..RestLimits::default() };
        Self {
            api,
            rest: rest.status_rule(http_status).limits(limits),
            openapi: OnceLock::new(),
            browsers: Browsers { allowed: settings.origins.clone(), has_tls: false },
            tokens: Tokens::new(settings.auth.clone()),
            rate: RateLimit::default(),
            pending: Pending::new(settings.pending_after),
            log: Log::default(),
            settings,
        }
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.settings.faults
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.log.arrivals()
    }

    pub(super) fn revoke(&self) {
        self.tokens.revoke();
    }

    /// Processes a request. An error breaks the connection.
    pub(super) async fn pass(
        self: Arc<Self>,
        routes: Routes,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, BoxError> {
        let refused = head::unclear_host(&request).or_else(|| head::refused(&request, false));
        if let Some(answer) = refused {
            return Ok(answer.map(full));
        }
        let front = if is_grpc(request.headers()) { Front::Grpc } else { Front::Rest };
        // No web page can speak gRPC. Callers on other machines may know this one by any name.
        let is_local = caller(&request).is_some_and(|caller| caller.to_canonical().is_loopback());
        let is_open = is_local && self.settings.auth.is_none();
        if front == Front::Rest
            && let Some(message) = self.browsers.refusal(&request, is_open)
        {
            return Ok(RestFront::error(StatusCode::FORBIDDEN, &message).map(full));
        }
        let method = request.method().clone();
        let is_head = front == Front::Rest && method == Method::HEAD;
        if is_head && self.settings.head {
            *request.method_mut() = Method::GET;
        }
        let spec = match front {
            Front::Grpc => self.api.methods.spec(request.uri().path()),
            Front::Rest => self.rest.find(&mut request),
        };
        let path = request.uri().path();
        self.log.note(Arrival {
            front,
            method,
            path: request.uri().path_and_query().map_or(path, |path| path.as_str()).to_owned(),
            rpc: spec,
            headers: request.headers().clone(),
        });
        // A panic, such as one of the emulator's clock, ends this call and not the connection.
        let answer = AssertUnwindSafe(self.answer(routes, request, front, spec)).catch_unwind();
        let mut response = answer.await.unwrap_or_else(|_| {
            Ok(self.failed(front, spec, Status::internal("the call panicked")))
        })?;
        if is_head {
            response = head::without_body(response);
        }
        if !response.headers().contains_key(REQUEST_ID)
            && let Ok(id) = HeaderValue::try_from(request_id())
        {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        Ok(response)
    }

    /// Answers a request, unless it is refused.
    async fn answer(
        self: &Arc<Self>,
        routes: Routes,
        request: Request<Body>,
        front: Front,
        spec: Option<&'static MethodSpec>,
    ) -> Result<Response<Body>, BoxError> {
        let deadline = match self.admit(&request, front, spec) {
            Ok(deadline) => deadline,
            Err(status) => return Ok(self.failed(front, spec, status)),
        };
        // Boxed, because every function that a future passes through copies it.
        let answer: BoxFuture<'_, _> = match front {
            Front::Grpc => Box::pin(self.grpc(routes, request, spec)),
            Front::Rest => Box::pin(self.rest(request, spec)),
        };
        match (deadline.limit(answer).await, front) {
            (Ok(answer), Front::Grpc) => Ok(answer?.map(|body| deadline.limit_body(body))),
            (Ok(answer), Front::Rest) => answer,
            (Err(status), _) => Ok(self.failed(front, spec, status)),
        }
    }

    /// Returns until when a request is served, or why it is refused.
    fn admit(
        &self,
        request: &Request<Body>,
        front: Front,
        spec: Option<&'static MethodSpec>,
    ) -> Result<Deadline, Status> {
        if spec.is_some() || front == Front::Grpc && !is_open(request.uri().path()) {
            let now = self.api.environment.clock.now();
            let token = bearer(request.headers());
            self.tokens.check(token, now).map_err(Status::unauthenticated)?;
            if self.settings.rate_limit
                && !self.rate.allows(token.unwrap_or_default(), caller(request), now)
            {
                let message = format!("more than {} calls within a second", rate::CALLS);
                return Err(Status::resource_exhausted(message));
            }
        }
        Deadline::of(request.headers())
    }

    /// Creates the response to a call that failed before it reached its service.
    fn failed(
        &self,
        front: Front,
        spec: Option<&'static MethodSpec>,
        status: Status,
    ) -> Response<Body> {
        if front == Front::Grpc {
            return bounded::into_http(status);
        }
        self.failure(spec, &status).map(full)
    }

    /// Creates the REST response to a failed request, which may be for no RPC.
    fn failure(&self, spec: Option<&'static MethodSpec>, status: &Status) -> Response<Bytes> {
        if let Some(spec) = spec {
            return self.rest.failure(spec, status);
        }
        let http = crate::transcode::http_from_code(status.code());
        let http = StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        RestFront::error(http, status.message())
    }

    async fn grpc(
        &self,
        routes: Routes,
        request: Request<Body>,
        spec: Option<&'static MethodSpec>,
    ) -> Result<Response<Body>, BoxError> {
        let path = request.uri().path();
        let fault = match injected(&self.settings.faults, request.headers(), spec, path) {
            Ok(fault) => fault,
            Err(status) => return Ok(bounded::into_http(status)),
        };
        let answer = Fault::run(fault.as_ref(), Box::pin(self.run(routes, request, spec))).await;
        match fault.map(|fault| fault.kind) {
            Some(Kind::Status(status)) => Ok(bounded::into_http(*status)),
            Some(Kind::Http { status, headers, body }) => {
                Ok(plain(status, headers, body).map(full))
            }
            Some(Kind::Break(place)) => {
                let (head, body) = answer.into_parts();
                let body = body.collect().await?.to_bytes();
                broken(place, Response::from_parts(head, body))
            }
            _ => Ok(answer),
        }
    }

    /// Calls an RPC or, if there is none, health checks and reflection.
    async fn run(
        &self,
        routes: Routes,
        request: Request<Body>,
        spec: Option<&'static MethodSpec>,
    ) -> Response<Body> {
        let time = self.settings.limits.body_time;
        let Some(spec) = spec else { return introspection::call(routes, request, time).await };
        let answer = async |request: tonic::Request<Bytes>| {
            let response = self.api.call(spec.path, request.into_inner()).await?;
            Ok(tonic::Response::new(response.into()))
        };
        let served = encoded::serve(request, time, Default::default(), answer).await;
        served.unwrap_or_else(bounded::into_http)
    }

    async fn rest(
        self: &Arc<Self>,
        request: Request<Body>,
        spec: Option<&'static MethodSpec>,
    ) -> Result<Response<Body>, BoxError> {
        // Only calls and logins have bodies, and only they can be pending (FACTS.md#cloud-login,
        // FACTS.md#pending-responses).
        let is_login = logins::is_login(request.uri().path(), self.settings.deployment);
        let is_call = spec.is_some() || is_login;
        let max_body = if is_login { logins::MAX_BODY } else { usize::MAX };
        let limit = is_call.then_some(max_body.into());
        let mut request = match self.rest.read_if(limit, request).await {
            Ok(request) => request,
            Err(answer) => return Ok(answer.map(full)),
        };
        let print = print(&request);
        if let Some(id) = request.headers_mut().remove(RESPONSE_ID) {
            let answer = self.pending.poll(&id, print, self.api.environment.clock.now()).await;
            return Ok(answer.map(full));
        }
        let path = request.uri().path().to_owned();
        let fault = match injected(&self.settings.faults, request.headers(), spec, &path) {
            Ok(fault) => fault,
            Err(status) => return Ok(self.failed(Front::Rest, spec, status)),
        };
        let (times, place) = match fault.as_ref().map(|fault| &fault.kind) {
            Some(Kind::Pending(times)) => (*times, None),
            Some(Kind::Break(place)) => (0, Some(*place)),
            _ => (0, None),
        };
        let gate = Arc::clone(self);
        let answer = Box::pin(async move {
            let answer = Fault::run(fault.as_ref(), gate.serve(request)).await;
            match fault.map(|fault| fault.kind) {
                Some(Kind::Status(status)) => gate.failure(spec, &status),
                Some(Kind::Http { status, headers, body }) => plain(status, headers, body),
                _ => answer,
            }
        });
        let answer = if is_call {
            self.pending.run(print, times, answer, self.api.environment.clock.now()).await
        } else {
            answer.await
        };
        match place {
            Some(place) => broken(place, answer),
            None => Ok(answer.map(full)),
        }
    }

    /// Serves HTTP paths.
    async fn serve(&self, request: Request<Bytes>) -> Response<Bytes> {
        let make = || openapi::of(&self.rest, self.settings.auth.is_some());
        let document = || self.openapi.get_or_init(make).clone();
        if let Some(answer) = pages::answer(&request, ABOUT, self.api.methods.specs(), document) {
            return answer;
        }
        let now = self.api.environment.clock.now();
        match logins::answer(&self.tokens, &request, self.settings.deployment, now) {
            Some(answer) => answer,
            None => self.rest.answer(request).await,
        }
    }
}

/// Returns the HTTP status of a failed call. ESET documents 412 for a rank that is too high, on the page of
/// that call, while elsewhere `FAILED_PRECONDITION` is 400 ([facts](crate::facts#policy-management)). The
/// page of the call is more specific, and 412 is unambiguous.
fn http_status(spec: &MethodSpec, code: Code) -> u16 {
    match (spec.method, code) {
        ("UpdatePolicyAssignmentRanking", Code::FailedPrecondition) => 412,
        _ => crate::transcode::http_from_code(code),
    }
}

/// Returns a fingerprint of everything that identical requests share: all but the token
/// ([facts](crate::facts#pending-responses)).
fn print(request: &Request<Bytes>) -> u64 {
    Fingerprint::new()
        .part(request.method().as_str())
        .part(request.uri().path_and_query().map_or("", |path| path.as_str()))
        .part(request.body())
        .value()
}

/// Returns a random id. It is no secret, so it needs no randomness of the system.
fn request_id() -> String {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid().to_string()
}

/// Whether a path needs no token: health checks and reflection contain only public data.
fn is_open(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.")
}

fn caller(request: &Request<Body>) -> Option<IpAddr> {
    request.extensions().get().map(|Peer(address)| address.ip())
}
