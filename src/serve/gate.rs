//! Processes every request: who calls, from which front, and where it goes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, service_fn};

use super::access::{Identified, Tenant};
use super::access_handle::AccessHandle;
use super::admitted::Admitted;
use super::audit::{AuditLog, Target};
use super::browsers::Browsers;
use super::caller::{Caller, Identity};
use super::hosted::Hosted;
use super::rules;
use crate::rpc::MethodSpec;
use crate::server::deadline::Deadline;
use crate::server::head::{self, full, is_grpc};
use crate::server::health::ReportedHealth;
use crate::server::pages::{self, About};
use crate::server::{RestFront, encoded, openapi};
use crate::telemetry::Served;
use crate::transcode::RpcTypes;

const ABOUT: About = About {
    title: "ESET PROTECT",
    text: "ESET's services, over gRPC, gRPC-Web and REST on this port.",
};

/// The state shared by all connections.
pub(super) struct Gate {
    pub(super) access: AccessHandle,
    pub(super) browsers: Browsers,
    pub(super) audit: Option<AuditLog>,
    pub(super) health: ReportedHealth,
    /// The RPCs by gRPC path.
    pub(super) rpcs: BTreeMap<&'static str, (&'static MethodSpec, RpcTypes)>,
    pub(super) rest: RestFront,
    /// Health and reflection.
    pub(super) routes: Routes,
    pub(super) body_time: Duration,
}

/// What is known of a call that is refused.
#[derive(Default)]
struct Known {
    caller: Option<Arc<Caller>>,
    tenant: Option<Arc<Tenant>>,
}

/// Returns the RPCs by gRPC path.
pub(super) fn by_path(
    hosted: &[Hosted],
) -> BTreeMap<&'static str, (&'static MethodSpec, RpcTypes)> {
    let rpcs = hosted.iter().flat_map(|hosted| hosted.rpcs());
    rpcs.map(|(spec, types)| (spec.path, (spec, types))).collect()
}

impl Gate {
    /// Answers a request.
    pub(super) async fn answer(self: Arc<Self>, mut request: Request<Body>) -> Response<Body> {
        let refused = head::unclear_host(&request).or_else(|| head::refused(&request, true));
        if let Some(answer) = refused {
            return answer.map(full);
        }
        let web = grpc_web(request.headers());
        let is_grpc = is_grpc(request.headers()) && web.is_none();
        // No web page can speak gRPC.
        if !is_grpc
            && let Some(message) = self.browsers.refusal(&request, self.access.current().is_open())
        {
            return RestFront::error(StatusCode::FORBIDDEN, &message).map(full);
        }
        if let Some(media_type) = web {
            request.headers_mut().insert(header::CONTENT_TYPE, media_type);
            let grpc = service_fn(move |request| {
                let gate = Arc::clone(&self);
                async move { Ok::<_, Infallible>(gate.grpc(request).await) }
            });
            // Boxed, like what follows: the future of every request would have the size of the largest.
            return match Box::pin(GrpcWebLayer::new().layer(grpc).call(request)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
        }
        match is_grpc {
            true => self.grpc(request).await,
            false => Box::pin(self.rest(request)).await,
        }
    }

    /// Decides whether a request may call an RPC, and observes it if not.
    async fn admit(
        &self,
        spec: &'static MethodSpec,
        headers: &HeaderMap,
        extensions: &http::Extensions,
    ) -> Result<Admitted, Status> {
        let mut known = Known::default();
        let admitted = self.decide(spec, headers, extensions, &mut known).await;
        if let Err(status) = &admitted {
            let caller = known.caller.as_ref().map(|caller| &*caller.name);
            let tenant = known.tenant.as_ref().map(|tenant| &*tenant.name);
            Served::begin(spec, caller, tenant, &mut headers.clone()).end(status.code());
        }
        admitted
    }

    async fn decide(
        &self,
        spec: &MethodSpec,
        headers: &HeaderMap,
        extensions: &http::Extensions,
        known: &mut Known,
    ) -> Result<Admitted, Status> {
        let deadline = Deadline::of(headers)?;
        let access = self.access.current();
        let identified = deadline.limit(access.identify(headers, extensions)).await??;
        let Identified { caller, subject } = identified;
        known.caller = Some(Arc::clone(&caller));
        let tenant = access.tenant_for(&caller, headers)?;
        known.tenant = Some(Arc::clone(&tenant));
        let passes_on = caller.identity == Identity::OwnToken;
        let own_token = headers.get(header::AUTHORIZATION).filter(|_| passes_on).cloned();
        let (audit, health) = (self.audit.clone(), self.health.clone());
        let admitted = Admitted { caller, subject, tenant, own_token, deadline, audit, health };
        if admitted.caller.rules.permits(spec) {
            return Ok(admitted);
        }
        if let Some(log) = self.audit.as_ref().filter(|_| rules::is_write(spec)) {
            let call = admitted.described(spec, Target::default());
            deadline.limit(Box::pin(log.note("refused", &call))).await??;
        }
        let (caller, path) = (&admitted.caller.name, spec.path.trim_start_matches('/'));
        Err(Status::permission_denied(format!("{caller:?} may not call {path}")))
    }

    async fn grpc(&self, request: Request<Body>) -> Response<Body> {
        let Some((spec, types)) = self.rpcs.get(request.uri().path()).copied() else {
            let path = request.uri().path().to_owned();
            let answer = match self.routes.clone().call(request).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            // tonic's own has no message.
            let is_unknown = answer.headers().get("grpc-status").is_some_and(|code| code == "12");
            return match is_unknown && !answer.headers().contains_key("grpc-message") {
                true => Status::unimplemented(format!("there is no RPC {path}")).into_http(),
                false => answer,
            };
        };
        let admitted = match self.admit(spec, request.headers(), request.extensions()).await {
            Ok(admitted) => admitted,
            Err(status) => return status.into_http(),
        };
        let deadline = admitted.deadline;
        let time = self.body_time.min(deadline.left().unwrap_or(Duration::MAX));
        encoded::serve(request, time, |request| admitted.forward(spec, types, request)).await
    }

    async fn rest(&self, mut request: Request<Body>) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let request = match self.rest.find(&mut request) {
            Some(spec) => match self.admit(spec, request.headers(), request.extensions()).await {
                Ok(admitted) => {
                    request.extensions_mut().insert(admitted);
                    self.rest.read_if(Some(usize::MAX), request).await
                }
                Err(status) => Err(self.rest.failure(spec, &status)),
            },
            None => self.rest.read_if(None, request).await,
        };
        let specs = self.rpcs.values().map(|(spec, _)| *spec);
        let answer = match request {
            Ok(request) => match pages::answer(&request, ABOUT, specs, openapi::document) {
                Some(page) => page,
                None => self.rest.answer(request).await,
            },
            Err(answer) => answer,
        };
        let answer = answer.map(full);
        if is_head { head::without_body(answer) } else { answer }
    }
}

/// Returns the media type of a gRPC-Web request as tonic's layer compares it: in lower case, without parameters.
fn grpc_web(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next()?.trim();
    head::after(media_type, "application/grpc-web")?;
    HeaderValue::try_from(media_type.to_ascii_lowercase()).ok()
}
