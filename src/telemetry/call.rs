//! Observes a call: its span, and the metrics recorded when it ends.

use http::HeaderMap;
use tokio::time::Instant;
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;

use super::names::{method, request_id};
use super::{Server, metrics};
use crate::error::{Error, code_name};
use crate::rpc::MethodSpec;
use crate::timer::Timer;

/// Observes a call. Dropping it without ending it means that the call was cancelled, or panicked.
pub(crate) struct Call<'a> {
    span: Span,
    spec: &'static MethodSpec,
    timer: &'a dyn Timer,
    started: Instant,
    server: Option<Server>,
    is_ended: bool,
}

impl<'a> Call<'a> {
    /// Starts observing. Computes the server only if something subscribes.
    pub(crate) fn begin(
        spec: &'static MethodSpec,
        timer: &'a dyn Timer,
        started: Instant,
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
            server.record(&span);
        }
        Self { span, spec, timer, started, server, is_ended: false }
    }

    /// Returns the span for everything that the call does.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Records that the call completed.
    pub(crate) fn end(mut self, result: Result<&HeaderMap, &Error>, attempts: u32) {
        if !self.span.is_disabled() {
            if let Some(id) = request_id(result) {
                self.span.record("eset_protect.request_id", id);
            }
            self.span.record("eset_protect.attempts", attempts);
        }
        self.record(result.map_or_else(Error::code, |_| Code::Ok));
    }

    fn record(&mut self, code: Code) {
        self.is_ended = true;
        ended(&self.span, code);
        metrics::call(self.spec, code, self.server.as_ref(), || {
            self.timer.now().saturating_duration_since(self.started)
        });
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.is_ended {
            self.record(dropped());
        }
    }
}

/// Returns the code of what is dropped before its end: it was cancelled, unless it panicked.
pub(crate) fn dropped() -> Code {
    if std::thread::panicking() { Code::Internal } else { Code::Cancelled }
}

/// Records the status code of an RPC.
pub(super) fn ended(span: &Span, code: Code) {
    if span.is_disabled() {
        return;
    }
    let name = code_name(code);
    span.record("rpc.response.status_code", name);
    if code != Code::Ok {
        span.record("error.type", name);
        span.record("otel.status_code", "ERROR");
    }
}
