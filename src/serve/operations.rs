//! Liveness, readiness and metrics, on a port of their own.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::try_join_all;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use super::access_handle::AccessHandle;
use crate::server::ConnectionLimits;
use crate::server::browsers::Browsers;
use crate::server::connections::{self, Calls, Peer, Plain, Workers};
use crate::server::head::full;
use crate::server::notifier::Notifier;
use crate::transcode::read_form;
use crate::wkt::Timestamp;

/// How long a serving thread may be busy with one thing.
const PATIENCE: Duration = Duration::from_secs(3);

type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// Reports liveness, readiness and metrics of a [`Bridge`](super::Bridge) to its operators, over HTTP on a port of its
/// own, without TLS and to everybody who can reach it. It shows names of tenants and no secrets. Whoever asks from the same
/// machine names it `localhost` or by an IP address in `Host`: a web page could make another name lead here.
///
/// | path | answer |
/// |---|---|
/// | `/livez` | 200: every serving thread makes progress. 503 if one has made none for 3 seconds, or has ended: only a restart helps |
/// | `/readyz` | 200, or 503 once the bridge is stopping. Its JSON names the tenants that are down, since when, and the error. One such tenant does not make the bridge unready, since the others would lose it |
/// | `/readyz?tenant=NAME` | the same for one tenant: 503 while it is down, 404 for an unknown one, 400 for another query |
/// | `/metrics` | what [`metrics`](Self::metrics) returns, for Prometheus |
///
/// A tenant is down if its upstream did not answer the last call or refused the tenant's login: no connection, one that
/// broke before the head of a response, nothing within the tenant's own time, or an answer that the service is unavailable
/// (502 to 504, `UNAVAILABLE`). An answer that cannot be read, breaks off or stalls after its head, a stream that the
/// upstream reset, and a call that its caller's own deadline ended say nothing. A success ends it at once; otherwise it
/// ends 30 seconds after the last failed call, so that a client that waits for it calls again, and its call shows whether
/// the upstream is back. Nothing asks an upstream between calls, which would cost budget, so a tenant is up before its
/// first call.
///
/// The gRPC health service reports the same as `tenants/NAME`, to callers that may use the tenant: `SERVING`, or
/// `NOT_SERVING` while it is down. A client can watch it (gRFC A17, `healthCheckConfig`). For others there is no such
/// service; a watch ends with `UNAVAILABLE` when its caller may no longer use the tenant.
pub struct Operations {
    pub(super) listener: TcpListener,
    render: Option<Render>,
}

impl Operations {
    /// Answers on this listener.
    pub fn new(listener: TcpListener) -> Self {
        Self { listener, render: None }
    }

    /// Sets what `/metrics` returns: Prometheus' text format, such as from the crate `metrics-exporter-prometheus`.
    /// [`telemetry`](crate::telemetry#metrics) lists the metrics; the crate's feature `metrics` must be on.
    #[must_use]
    pub fn metrics(mut self, render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.render = Some(Arc::new(render));
        self
    }

    /// Answers until dropped.
    pub(super) async fn serve(
        self,
        access: AccessHandle,
        is_stopping: Arc<AtomicBool>,
        workers: Vec<Handle>,
        notifier: Notifier,
    ) {
        let state = Arc::new(Reported { access, is_stopping, workers, render: self.render });
        let calls: Calls = Arc::new(move |request| {
            let (state, request) = (Arc::clone(&state), request.map(drop));
            Box::pin(async move {
                // The renderer is not ours.
                let answer = AssertUnwindSafe(state.answer(&request)).catch_unwind().await;
                let panicked = |_| {
                    let text = "this answer panicked\n".to_owned();
                    self::text(StatusCode::INTERNAL_SERVER_ERROR, text)
                };
                Ok(answer.unwrap_or_else(panicked).map(|body| full(body.into())))
            })
        });
        let limits = ConnectionLimits { max_connections: 64, ..ConnectionLimits::default() };
        let forever = std::future::pending();
        let (handshake, here) = (Arc::new(Plain), Workers::default());
        connections::serve(calls, self.listener, handshake, limits, here, &notifier, forever).await;
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operations").field("listener", &self.listener).finish_non_exhaustive()
    }
}

struct Reported {
    access: AccessHandle,
    is_stopping: Arc<AtomicBool>,
    /// Of the threads that serve.
    workers: Vec<Handle>,
    render: Option<Render>,
}

impl Reported {
    async fn answer(&self, request: &Request<()>) -> Response<String> {
        // A page in a browser on this machine could make a name of its own lead here (DNS rebinding).
        let is_local = request.extensions().get().is_none_or(Peer::is_local);
        let browsers = Browsers { allowed: Vec::new(), has_tls: false };
        if let Some(refusal) = browsers.refusal(request, is_local) {
            return text(StatusCode::FORBIDDEN, format!("{refusal}\n"));
        }
        let uri = request.uri();
        match (uri.path(), &self.render) {
            ("/livez", _) => self.liveness().await,
            ("/readyz", _) => match tenant(uri.query().unwrap_or_default()) {
                Ok(only) => self.readiness(only.as_deref()),
                Err(problem) => text(StatusCode::BAD_REQUEST, format!("{problem}\n")),
            },
            ("/metrics", Some(render)) => text(StatusCode::OK, render()),
            _ => text(StatusCode::NOT_FOUND, "expected /livez, /readyz or /metrics\n".to_owned()),
        }
    }

    /// Asks each thread that serves to do something.
    async fn liveness(&self) -> Response<String> {
        let asked = self.workers.iter().map(|worker| worker.spawn(async {}));
        match tokio::time::timeout(PATIENCE, try_join_all(asked)).await {
            Ok(Ok(_)) => text(StatusCode::OK, "live\n".to_owned()),
            _ => text(StatusCode::SERVICE_UNAVAILABLE, "a thread is stuck\n".to_owned()),
        }
    }

    fn readiness(&self, only: Option<&str>) -> Response<String> {
        let access = self.access.current();
        let tenants = access.tenants.values();
        let tenants = tenants.filter(|tenant| only.is_none_or(|only| only == &*tenant.name));
        let (mut count, mut down) = (0, serde_json::Map::new());
        for tenant in tenants {
            count += 1;
            if let Some(state) = tenant.health.down() {
                // A time of this age has a JSON form.
                let since = serde_json::to_value(Timestamp::from(state.since)).unwrap_or_default();
                let about = json!({ "since": since, "error": state.error });
                down.insert(tenant.name.to_string(), about);
            }
        }
        let is_stopping = self.is_stopping.load(Ordering::Relaxed);
        let is_ready = !is_stopping && (only.is_none() || down.is_empty());
        let status = match (count, is_ready) {
            (0, _) if only.is_some() => StatusCode::NOT_FOUND,
            (_, true) => StatusCode::OK,
            (_, false) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let body = json!({
            "ready": is_ready && status == StatusCode::OK,
            "stopping": is_stopping,
            "tenants": count,
            "upstreams_down": Value::Object(down),
        });
        let mut answer = text(status, format!("{body}\n"));
        let media_type = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(header::CONTENT_TYPE, media_type);
        answer
    }
}

/// Returns the tenant that a query names. One that names none by mistake must not be about all.
fn tenant(query: &str) -> Result<Option<String>, String> {
    let pairs = read_form(query)?;
    let is_empty = pairs.is_empty();
    let mut tenants = pairs.into_iter().filter(|(name, _)| name == "tenant");
    match (tenants.next(), tenants.next()) {
        (Some((_, tenant)), None) => Ok(Some(tenant)),
        (None, _) if is_empty => Ok(None),
        (None, _) => Err("expected ?tenant=NAME or no query".to_owned()),
        (Some(_), Some(_)) => Err("expected ?tenant=NAME once".to_owned()),
    }
}

fn text(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}
