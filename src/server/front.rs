//! What all requests to a server have in common, whatever it does with them: their protocols, who may not send them, what
//! is answered without a call, and the forms of failures.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower::{BoxError, Layer, Service, service_fn};

use super::browsers::Browsers;
use super::connections::{Calls, Peer};
use super::head::{self, Protocol, full};
use super::limits::Refusal;
use super::pages::{self, About};
use super::{RestFront, bounded, cors, introspection, openapi};
use crate::rpc::MethodSpec;

/// The form of a request and of its response.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// gRPC. gRPC-Web has this form between its reader and its writer.
    Grpc,
    /// REST, with the RPC that the request is for.
    Rest(Option<&'static MethodSpec>),
}

/// What a front serves: who may call, and what a call does.
pub(crate) trait Host: Send + Sync + 'static {
    fn front(&self) -> &Front;

    /// Whether calls need no token.
    fn is_open(&self) -> bool;

    /// Answers a request. A [`Status`] becomes a response in the form of the request; another error breaks the connection.
    fn answer(
        self: &Arc<Self>,
        form: Form,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Body>, BoxError>> + Send;

    /// Completes the headers of a response, whoever made it.
    fn complete(&self, _headers: &mut HeaderMap) {}
}

/// The front of a server.
pub(crate) struct Front {
    pub(crate) about: About,
    pub(crate) browsers: Browsers,
    pub(crate) rest: RestFront,
    /// Health and reflection.
    pub(crate) routes: Routes,
    /// How long the message of a request may take to arrive.
    pub(crate) body_time: Duration,
    /// The OpenAPI documents for calls with a token and for calls without one.
    pub(crate) documents: [OnceLock<Bytes>; 2],
}

impl Front {
    /// Returns the start page or the OpenAPI document; `None` for other requests.
    pub(crate) fn page<B>(&self, request: &Request<B>, is_open: bool) -> Option<Response<Bytes>> {
        let [closed, open] = &self.documents;
        let document = if is_open { open } else { closed };
        let make = || openapi::document(&self.rest, is_open);
        let document = || document.get_or_init(make).clone();
        pages::answer(request, self.about, &self.rest, document)
    }

    /// Answers a health check or reflection, and says of other gRPC paths that there is no such RPC.
    pub(crate) async fn introspect(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Body>, Status> {
        introspection::call(self.routes.clone(), request, self.body_time).await
    }

    fn failure(&self, form: Form, status: Status) -> Response<Body> {
        match form {
            Form::Grpc => bounded::into_http(status),
            Form::Rest(spec) => self.rest.failure_of(spec, &status).map(full),
        }
    }
}

/// Returns what answers the requests of all connections.
pub(crate) fn calls(host: Arc<impl Host>) -> Calls {
    let origins = host.front().browsers.allowed.clone();
    cors::wrap(&origins, move |request| Box::pin(answer(Arc::clone(&host), request)))
}

async fn answer<H: Host>(
    host: Arc<H>,
    mut request: Request<Body>,
) -> Result<Response<Body>, BoxError> {
    let is_head = request.method() == Method::HEAD;
    let mut answer = match protocol(&*host, &request) {
        Err(refusal) => Response::from(refusal).map(full),
        Ok(Protocol::Grpc) => ask(&host, Form::Grpc, request).await?,
        Ok(Protocol::GrpcWeb(media_type)) => {
            request.headers_mut().insert(header::CONTENT_TYPE, media_type);
            let grpc = service_fn(async |request: Request<Body>| {
                let request = request.map(|body| Body::new(body.map_err(unreadable)));
                ask(&host, Form::Grpc, request).await
            });
            // Boxed: the future of every request would have the size of the largest.
            Box::pin(GrpcWebLayer::new().layer(grpc).call(request)).await?
        }
        Ok(Protocol::Rest) => {
            let spec = host.front().rest.find(&mut request);
            ask(&host, Form::Rest(spec), request).await?
        }
    };
    host.complete(answer.headers_mut());
    Ok(if is_head { head::without_body(answer) } else { answer })
}

/// Says what is wrong with a body of gRPC-Web.
fn unreadable(error: Status) -> Status {
    match error.message().strip_prefix("tonic-web: ") {
        Some(problem) => Status::internal(format!("the body cannot be read: {problem}")),
        None => error,
    }
}

/// Returns the protocol of a request that is not refused.
fn protocol(host: &impl Host, request: &Request<Body>) -> Result<Protocol, Refusal> {
    let protocol = Protocol::of(request)?;
    // No web page can speak gRPC.
    if matches!(protocol, Protocol::Grpc) {
        return Ok(protocol);
    }
    // Callers on other machines may know this one by any name.
    let is_open = host.is_open() && request.extensions().get().is_none_or(Peer::is_local);
    match host.front().browsers.refusal(request, is_open) {
        Some(message) => Err(Refusal { status: StatusCode::FORBIDDEN, message }),
        None => Ok(protocol),
    }
}

/// Lets the host answer, and sends a failure in the form of the request. A panic ends the call and not the connection.
async fn ask<H: Host>(
    host: &Arc<H>,
    form: Form,
    request: Request<Body>,
) -> Result<Response<Body>, BoxError> {
    // Pinned first, because a future is copied whenever it is wrapped.
    let answer = AssertUnwindSafe(pin!(host.answer(form, request))).catch_unwind().await;
    let answer = answer.unwrap_or_else(|_| Err(Status::internal("the call panicked").into()));
    answer.or_else(|error| Ok(host.front().failure(form, *error.downcast()?)))
}
