//! A call from its beginning to its end: its span, and what is counted when it ends.

use std::sync::Arc;

use tokio::time::Instant;
use tonic::{Code, Response};
use tracing::Span;
use tracing::field::Empty;

use super::names::{method, text};
use super::{Server, metrics};
use crate::error::{Error, code_name};
use crate::rpc::MethodSpec;
use crate::timer::Timer;

/// Watches a call. Dropped before it is told the end, the call was cancelled.
pub(crate) struct Call {
    span: Span,
    spec: &'static MethodSpec,
    timer: Arc<dyn Timer>,
    started: Instant,
    server: Option<Server>,
    is_ended: bool,
}

impl Call {
    /// Begins to watch. The server is asked for only if somebody listens.
    pub(crate) fn begin(
        spec: &'static MethodSpec,
        timer: Arc<dyn Timer>,
        server: impl FnOnce() -> Option<Server>,
    ) -> Self {
        let method = method(spec);
        let span = tracing::info_span!(
            target: "eset_protect::call",
            "call",
            otel.name = method,
            otel.kind = "client",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.response.status_code = Empty,
            server.address = Empty,
            server.port = Empty,
            "error.type" = Empty,
            eset_protect.attempts = Empty,
            eset_protect.request_id = Empty,
        );
        let is_heard = !span.is_disabled() || cfg!(feature = "metrics");
        let server = if is_heard { server() } else { None };
        if let Some(server) = &server {
            span.record("server.address", &*server.address);
            span.record("server.port", server.port);
        }
        let started = timer.now();
        Self { span, spec, timer, started, server, is_ended: false }
    }

    /// The span, for all that the call does.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The call came to an end by itself.
    pub(crate) fn end<T>(mut self, result: &Result<Response<T>, Error>, attempts: u32) {
        let (code, request_id) = match result {
            Ok(response) => (Code::Ok, text(response.metadata().get("request-id"))),
            Err(error) => (error.code(), error.request_id()),
        };
        if let Some(id) = request_id {
            self.span.record("eset_protect.request_id", id);
        }
        self.span.record("eset_protect.attempts", attempts);
        self.record(code);
    }

    fn record(&mut self, code: Code) {
        self.is_ended = true;
        ended(&self.span, code);
        metrics::call(self.spec, code, self.server.as_ref(), || {
            self.timer.now().saturating_duration_since(self.started)
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.is_ended {
            self.record(Code::Cancelled);
        }
    }
}

/// Says how an RPC ended.
pub(super) fn ended(span: &Span, code: Code) {
    let name = code_name(code);
    span.record("rpc.response.status_code", name);
    if code != Code::Ok {
        span.record("error.type", name);
        span.record("otel.status_code", "ERROR");
    }
}
