//! Processes every request: who calls, from which front, and where it goes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, service_fn};
use tracing::Instrument;

use super::access_handle::AccessHandle;
use super::admitted::Admitted;
use super::audit::{AuditLog, Target};
use super::hosted_rpc::HostedRpc;
use super::rules;
use crate::server::browsers::Browsers;
use crate::server::connections::Peer;
use crate::server::deadline::Deadline;
use crate::server::head::{self, full, is_grpc};
use crate::server::pages::{self, About};
use crate::server::{RestFront, bounded, encoded, introspection, openapi};
use crate::telemetry::Served;

const ABOUT: About = About {
    title: "ESET PROTECT",
    text: "ESET's services, over gRPC, gRPC-Web and REST on this port.",
};

/// The state shared by all connections.
pub(super) struct Gate {
    pub(super) access: AccessHandle,
    pub(super) browsers: Browsers,
    pub(super) audit: Option<AuditLog>,
    /// The RPCs by gRPC path.
    pub(super) rpcs: BTreeMap<&'static str, HostedRpc>,
    pub(super) rest: RestFront,
    /// Health and reflection.
    pub(super) routes: Routes,
    pub(super) body_time: Duration,
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
            let Ok(answer) = Box::pin(GrpcWebLayer::new().layer(grpc).call(request)).await;
            return answer;
        }
        match is_grpc {
            true => Box::pin(self.grpc(request)).await,
            false => Box::pin(self.rest(request)).await,
        }
    }

    /// Decides whether a request may call an RPC, and says of whom it is.
    async fn admit(
        &self,
        rpc: HostedRpc,
        headers: &HeaderMap,
        extensions: &http::Extensions,
        served: &mut Served,
    ) -> Result<Admitted, Status> {
        let deadline = Deadline::of(headers)?;
        let access = self.access.current();
        let identified = deadline.limit(access.identify(headers, extensions)).await??;
        served.set_caller(&identified.caller.name);
        let tenant = access.tenant_for(&identified.caller, headers)?;
        served.set_tenant(Arc::clone(&tenant.name));
        let audit = self.audit.clone();
        let peer = extensions.get().map(|Peer(address)| *address);
        let admitted = Admitted { rpc, identified, tenant, deadline, audit, peer };
        let (caller, spec) = (&admitted.identified.caller, rpc.spec);
        if caller.rules.permits(spec) {
            return Ok(admitted);
        }
        if let Some(log) = self.audit.as_ref().filter(|_| rules::is_write(spec)) {
            let call = admitted.described(Target::default());
            deadline.limit(Box::pin(log.note("refused", &call))).await??;
        }
        let (name, path) = (&caller.name, spec.path.trim_start_matches('/'));
        Err(Status::permission_denied(format!("{name:?} may not call {path}")))
    }

    async fn grpc(&self, mut request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        if introspection::has(path) {
            return self.introspect(request).await.unwrap_or_else(bounded::into_http);
        }
        let found = self.rpcs.get(path).copied();
        let mut served = Served::begin(found.map(|rpc| rpc.spec), request.headers_mut());
        let span = served.span();
        // Pinned first, because a future is copied whenever it is wrapped.
        let called = pin!(self.call(found, request, &mut served)).instrument(span).await;
        served.end(called.as_ref().map_or_else(Status::code, |_| Code::Ok));
        called.unwrap_or_else(bounded::into_http)
    }

    /// Answers health checks and reflection, which need no token: they must not keep a connection for longer than a call.
    async fn introspect(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let deadline = Deadline::of(request.headers())?;
        let called = introspection::call(self.routes.clone(), request, self.body_time);
        let answer = deadline.limit(Box::pin(called)).await?;
        Ok(answer.map(|body| deadline.limit_body(body)))
    }

    async fn call(
        &self,
        found: Option<HostedRpc>,
        request: Request<Body>,
        served: &mut Served,
    ) -> Result<Response<Body>, Status> {
        let Some(rpc) = found else {
            let path = request.uri().path();
            return Err(Status::unimplemented(format!("there is no RPC {path}")));
        };
        let admitted = self.admit(rpc, request.headers(), request.extensions(), served).await?;
        let time = self.body_time.min(admitted.deadline.left().unwrap_or(Duration::MAX));
        let limit = admitted.client().message_limit();
        encoded::serve(request, time, limit, |request| admitted.forward(request)).await
    }

    async fn rest(&self, mut request: Request<Body>) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let specs = self.rpcs.values().map(|rpc| rpc.spec);
        let document = || document(self.access.current().is_open());
        let answer = match pages::answer(&request, ABOUT, specs, document) {
            Some(page) => page,
            None => {
                let spec = self.rest.find(&mut request);
                let found = spec.and_then(|spec| self.rpcs.get(spec.path)).copied();
                let mut served = Served::begin(spec, request.headers_mut());
                let span = served.span();
                let answer = {
                    let called = pin!(self.call_rest(found, request, &mut served));
                    called.instrument(span).await
                };
                served.end(RestFront::code(&answer));
                answer
            }
        };
        let answer = answer.map(full);
        if is_head { head::without_body(answer) } else { answer }
    }

    async fn call_rest(
        &self,
        found: Option<HostedRpc>,
        mut request: Request<Body>,
        served: &mut Served,
    ) -> Response<Bytes> {
        let mut limit = None;
        if let Some(rpc) = found {
            match self.admit(rpc, request.headers(), request.extensions(), served).await {
                Ok(admitted) => {
                    limit = Some(admitted.client().message_limit());
                    request.extensions_mut().insert(admitted);
                }
                Err(status) => return self.rest.failure(rpc.spec, &status),
            }
        }
        match self.rest.read_if(limit, request).await {
            Ok(request) => self.rest.answer(request).await,
            Err(answer) => answer,
        }
    }
}

/// Returns the OpenAPI document, without tokens if anyone may call.
fn document(is_open: bool) -> Bytes {
    let document = openapi::document();
    match serde_json::from_slice(&document) {
        Ok(mut parsed) if is_open => {
            openapi::remove_security(&mut parsed);
            parsed.to_string().into()
        }
        _ => document,
    }
}

/// Returns the media type of a gRPC-Web request as tonic's layer compares it: in lower case, without parameters.
fn grpc_web(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next()?.trim();
    head::after(media_type, "application/grpc-web")?;
    HeaderValue::try_from(media_type.to_ascii_lowercase()).ok()
}
