//! Observes a call that a server forwards or refuses.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use tokio::time::Instant;
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;

use super::call::{dropped, ended};
use super::metrics::{SERVED, SERVED_CALLS, count, record};
use super::names::method;
use crate::error::code_name;
use crate::rpc::MethodSpec;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The method of a call that is for none of the RPCs, as OpenTelemetry's conventions name it.
const OTHER: &str = "_OTHER";

/// Observes a call. Dropping it without ending it means that the call was cancelled, or panicked.
pub(crate) struct Served {
    span: Span,
    method: &'static str,
    tenant: Option<Arc<str>>,
    started: Instant,
    is_ended: bool,
}

impl Served {
    /// Starts observing. The span is the child of the caller's span, of which the headers carry the context.
    pub(crate) fn begin(spec: Option<&MethodSpec>, headers: &mut HeaderMap) -> Self {
        let method = spec.map_or(OTHER, method);
        let span = tracing::info_span!(
            target: "eset_protect::serve",
            "serve",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.response.status_code = Empty,
            "error.type" = Empty,
            eset_protect.caller = Empty,
            eset_protect.tenant = Empty,
            trace_id = Empty,
        );
        if let Some(trace) = trace_id(headers) {
            span.record("trace_id", trace);
        }
        #[cfg(feature = "otel")]
        if let Some(trace) = super::propagation::adopt(&span, headers) {
            span.record("trace_id", trace.to_string());
        }
        Self { span, method, tenant: None, started: Instant::now(), is_ended: false }
    }

    /// Returns the span for everything that the call does.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Records who calls.
    pub(crate) fn set_caller(&self, name: &str) {
        self.span.record("eset_protect.caller", name);
    }

    /// Records the tenant.
    pub(crate) fn set_tenant(&mut self, name: Arc<str>) {
        self.span.record("eset_protect.tenant", &*name);
        self.tenant = Some(name);
    }

    /// Records that the call ended.
    pub(crate) fn end(mut self, code: Code) {
        self.record(code);
    }

    fn record(&mut self, code: Code) {
        self.is_ended = true;
        ended(&self.span, code);
        let (method, tenant) = (self.method, self.tenant.take().unwrap_or_default());
        record!(
            SERVED,
            self.started.elapsed(),
            "rpc.system.name" => "grpc",
            "rpc.method" => method,
            "rpc.response.status_code" => code_name(code)
        );
        count!(SERVED_CALLS, "tenant" => tenant, "rpc.response.status_code" => code_name(code));
    }
}

/// Returns the trace of the caller, for logs.
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(TRACEPARENT)?.to_str().ok()?.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

impl Drop for Served {
    fn drop(&mut self) {
        if !self.is_ended {
            self.record(dropped());
        }
    }
}
