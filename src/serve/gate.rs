//! Processes every request: who calls, from which front, and where it goes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::Full;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, service_fn};

use super::access::Access;
use super::admitted::Admitted;
use super::hosted::Hosted;
use crate::call::HttpCodec;
use crate::rpc::MethodSpec;
use crate::server::deadline::Deadline;
use crate::server::deadline::stream::until;
use crate::server::head::is_grpc;
use crate::server::pages::{self, About};
use crate::server::{RestFront, encoded};
use crate::transcode::OPENAPI;

/// The maximum size of a message, in both directions.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

const ABOUT: About = About {
    title: "ESET PROTECT",
    text: "ESET's services, over gRPC, gRPC-Web and REST on this port.",
};

/// The names in a caller's certificate, stored in the extensions of a request.
#[derive(Clone, Default)]
pub(super) struct Certified(pub(super) Arc<[String]>);

/// The state shared by all connections.
pub(super) struct Gate {
    access: Arc<RwLock<Arc<Access>>>,
    /// The RPCs by gRPC path.
    rpcs: BTreeMap<&'static str, (&'static MethodSpec, HttpCodec)>,
    rest: RestFront,
    /// Health and reflection.
    routes: Routes,
    body_time: Duration,
}

impl Gate {
    pub(super) fn new(
        access: Arc<RwLock<Arc<Access>>>,
        hosted: &[Hosted],
        rest: RestFront,
        routes: Routes,
        body_time: Duration,
    ) -> Self {
        let rpcs = hosted.iter().flat_map(|hosted| {
            hosted.methods.iter().map(|spec| (spec.path, (*spec, hosted.codec)))
        });
        Self { access, rpcs: rpcs.collect(), rest, routes, body_time }
    }

    /// Answers a request.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        if is_grpc_web(request.headers()) {
            let grpc = service_fn(move |request| {
                let gate = Arc::clone(&self);
                async move { Ok::<_, Infallible>(gate.grpc(request).await) }
            });
            return match GrpcWebLayer::new().layer(grpc).call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
        }
        if is_grpc(request.headers()) { self.grpc(request).await } else { self.rest(request).await }
    }

    /// Decides whether a request may call an RPC.
    fn admit(&self, spec: &MethodSpec, request: &Request<Body>) -> Result<Admitted, Status> {
        let headers = request.headers();
        let deadline = Deadline::of(headers)?;
        let Certified(names) = request.extensions().get().cloned().unwrap_or_default();
        let access = self.access.read().unwrap_or_else(PoisonError::into_inner).clone();
        let entrance = access.admit(spec, headers, &names)?;
        Ok(Admitted { tenant: entrance.tenant, own_token: entrance.own_token, deadline })
    }

    async fn grpc(&self, request: Request<Body>) -> Response<Body> {
        let Some((spec, codec)) = self.rpcs.get(request.uri().path()).copied() else {
            return match self.routes.clone().call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
        };
        let admitted = match self.admit(spec, &request) {
            Ok(admitted) => admitted,
            Err(status) => return status.into_http(),
        };
        let deadline = admitted.deadline;
        let time = self.body_time.min(deadline.left().unwrap_or(Duration::MAX));
        let late = move || {
            let message = format!("the message did not arrive within {time:?}");
            Err(Status::deadline_exceeded(message))
        };
        let request = request.map(|body| until(body, Instant::now() + time, late));
        let forward = move |request| admitted.clone().forward(spec, codec, request);
        let response = encoded::serve(request, MAX_MESSAGE, forward).await;
        response.map(|body| deadline.limit_body(body))
    }

    async fn rest(&self, mut request: Request<Body>) -> Response<Body> {
        if let Some(spec) = self.rest.rpc(request.method(), request.uri().path()) {
            match self.admit(spec, &request) {
                Ok(admitted) => drop(request.extensions_mut().insert(admitted)),
                Err(status) => return self.refused(spec, &status).map(full),
            }
        }
        let specs = self.rpcs.values().map(|(spec, _)| *spec);
        let answer = match self.rest.read(request).await {
            Ok(request) => match pages::answer(&request, ABOUT, specs, || Bytes::from(OPENAPI)) {
                Some(page) => page,
                None => self.rest.answer(request).await,
            },
            Err(answer) => answer,
        };
        answer.map(full)
    }

    fn refused(&self, spec: &MethodSpec, status: &Status) -> Response<Bytes> {
        let mut response = self.rest.failure(spec, status);
        if status.code() == Code::Unauthenticated {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

fn is_grpc_web(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"application/grpc-web"))
}

fn full(body: Bytes) -> Body {
    Body::new(Full::new(body))
}
