//! Processes every request before its service: log, logins, limits, faults and pending responses.

mod injected;
mod logins;
mod pending;
mod rate;
mod settings;
mod tokens;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
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
use super::faults::{Fault, Kind};
use super::fingerprint::Fingerprint;
use super::log::{self, Arrival, Log};
use crate::rpc::MethodSpec;
use crate::server::browsers::Browsers;
use crate::server::connections::{Peer, Place};
use crate::server::deadline::Deadline;
use crate::server::front::{Form, Front, Host};
use crate::server::head::{bearer, full};
use crate::server::pages::About;
use crate::server::{RestCall, RestFront, RestLimits, bounded, encoded};
use crate::transcode::RpcTypes;

/// The header with the id of every response ([facts](crate::facts#errors)).
const REQUEST_ID: &str = "request-id";

const ABOUT: About = About {
    title: "ESET PROTECT emulator",
    text: "A stand-in for ESET's services, over gRPC, gRPC-Web and REST on this port.",
};

/// The state shared by all connections.
pub(super) struct Gate {
    front: Front,
    pub(super) settings: Settings,
    api: Api,
    tokens: Tokens,
    rate: RateLimit,
    pending: Pending,
    pub(super) log: Log,
}

impl Gate {
    pub(super) fn new(settings: Settings, api: Api, rest: RestFront, routes: Routes) -> Self {
        let body_time = settings.limits.body_time;
        let limits = RestLimits { body_time, ..RestLimits::default() };
        let rest = rest.status_rule(http_status).limits(limits).head(settings.head);
        let browsers = Browsers { allowed: settings.origins.clone(), has_tls: false };
        let documents = Default::default();
        Self {
            front: Front { about: ABOUT, browsers, rest, routes, body_time, documents },
            api,
            tokens: Tokens::new(settings.auth.clone()),
            rate: RateLimit::default(),
            pending: Pending::new(settings.pending_after),
            log: Log::default(),
            settings,
        }
    }

    pub(super) fn revoke(&self) {
        self.tokens.revoke();
    }

    /// Returns until when a request is served, or why it is refused.
    fn admit(
        &self,
        request: &Request<Body>,
        spec: Option<&'static MethodSpec>,
    ) -> Result<Deadline, Status> {
        if spec.is_some() {
            let now = self.api.environment.clock.now();
            let token = bearer(request.headers());
            self.tokens.check(token, now).map_err(Status::unauthenticated)?;
            let caller = request.extensions().get().map(|Peer(address)| address.ip());
            if self.settings.rate_limit && !self.rate.allows(token.unwrap_or_default(), caller, now)
            {
                let message = format!("more than {} calls within a second", rate::CALLS);
                return Err(Status::resource_exhausted(message));
            }
        }
        Deadline::of(request.headers())
    }

    async fn grpc(
        &self,
        request: Request<Body>,
        spec: Option<&'static MethodSpec>,
    ) -> Result<Response<Body>, BoxError> {
        let path = request.uri().path();
        let fault = injected(&self.settings.faults, request.headers(), spec, path)?;
        let call = async {
            let (time, limit) = (self.front.body_time, Default::default());
            let served = match spec {
                Some(spec) => encoded::serve(request, time, limit, |it| self.call(spec, it)).await,
                None => self.front.introspect(request).await,
            };
            served.unwrap_or_else(bounded::into_http)
        };
        let answer = Fault::run(fault.as_ref(), Box::pin(call)).await;
        match fault.map(|fault| fault.kind) {
            Some(Kind::Status(status)) => Err(status),
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
        let mut request = match self.front.rest.read_if(limit, request).await {
            Ok(request) => request,
            Err(answer) => return Ok(answer.map(full)),
        };
        let print = print(&request);
        if let Some(id) = request.headers_mut().remove(RESPONSE_ID) {
            let answer = self.pending.poll(&id, print, self.api.environment.clock.now()).await;
            return Ok(answer.map(full));
        }
        let path = request.uri().path();
        let fault = injected(&self.settings.faults, request.headers(), spec, path)?;
        let (times, place) = match fault.as_ref().map(|fault| &fault.kind) {
            Some(Kind::Pending(times)) => (*times, None),
            Some(Kind::Break(place)) => (0, Some(*place)),
            _ => (0, None),
        };
        let gate = Arc::clone(self);
        let answer = Box::pin(async move {
            let answer = Fault::run(fault.as_ref(), gate.serve(request)).await;
            match fault.map(|fault| fault.kind) {
                Some(Kind::Status(status)) => gate.front.rest.failure_of(spec, &status),
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
        if let Some(page) = self.front.page(&request, self.is_open()) {
            return page;
        }
        let now = self.api.environment.clock.now();
        if let Some(answer) = logins::answer(&self.tokens, &request, self.settings.deployment, now)
        {
            return answer;
        }
        let call = async |call: RestCall| {
            let spec = call.rpc();
            let Some(types) = self.api.methods.types(spec.path) else {
                return call.unimplemented().await;
            };
            call.answer_encoded(types, RpcTypes::request, |request| self.call(spec, request)).await
        };
        // Boxed, because every function that a future passes through copies it.
        self.front.rest.answer_by(request, |asked| Box::pin(call(asked))).await
    }

    async fn call(
        &self,
        spec: &MethodSpec,
        request: tonic::Request<Bytes>,
    ) -> Result<tonic::Response<Bytes>, Status> {
        let response = self.api.call(spec.path, request.into_inner()).await?;
        Ok(tonic::Response::new(response.into()))
    }
}

impl Host for Gate {
    fn front(&self) -> &Front {
        &self.front
    }

    fn is_open(&self) -> bool {
        self.settings.auth.is_none()
    }

    async fn answer(
        self: &Arc<Self>,
        form: Form,
        request: Request<Body>,
    ) -> Result<Response<Body>, BoxError> {
        let path = request.uri().path();
        let (front, spec) = match form {
            Form::Grpc => (log::Front::Grpc, self.front.rest.spec(path)),
            Form::Rest(spec) => (log::Front::Rest, spec),
        };
        self.log.note(Arrival {
            front,
            method: request.method().clone(),
            path: request.uri().path_and_query().map_or(path, |path| path.as_str()).to_owned(),
            rpc: spec,
            headers: request.headers().clone(),
        });
        let deadline = self.admit(&request, spec)?;
        if let Some(place) = request.extensions().get::<Place>().filter(|_| spec.is_some()) {
            place.hold();
        }
        // Boxed, because every function that a future passes through copies it.
        let answer: BoxFuture<'_, _> = match form {
            Form::Grpc => Box::pin(self.grpc(request, spec)),
            Form::Rest(_) => Box::pin(self.rest(request, spec)),
        };
        deadline.limit(answer).await?
    }

    fn complete(&self, headers: &mut HeaderMap) {
        // It is no secret, so it needs no randomness of the system.
        let id = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid();
        if !headers.contains_key(REQUEST_ID)
            && let Ok(id) = HeaderValue::try_from(id.to_string())
        {
            headers.insert(REQUEST_ID, id);
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
