//! Observes a call that a server forwards.

use http::{HeaderMap, HeaderName};
use tokio::time::Instant;
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;

use super::call::ended;
use super::metrics;
use super::names::method;
use crate::rpc::MethodSpec;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Observes a call, whose caller and tenant are not known if it is refused early. Dropping it without ending it means
/// that the call was cancelled.
pub(crate) struct Served<'a> {
    span: Span,
    spec: &'static MethodSpec,
    tenant: Option<&'a str>,
    started: Instant,
    is_ended: bool,
}

impl<'a> Served<'a> {
    /// Starts observing. The span is the child of the caller's span, of which the headers carry the context.
    #[cfg_attr(not(feature = "otel"), allow(unused_variables))]
    pub(crate) fn begin(
        spec: &'static MethodSpec,
        caller: Option<&str>,
        tenant: Option<&'a str>,
        headers: &mut HeaderMap,
    ) -> Self {
        let method = method(spec);
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
            eset_protect.caller = caller,
            eset_protect.tenant = tenant,
            trace_id = Empty,
        );
        if let Some(trace) = trace_id(headers) {
            span.record("trace_id", trace);
        }
        #[cfg(feature = "otel")]
        if let Some(trace) = super::propagation::adopt(&span, headers) {
            span.record("trace_id", trace.to_string());
        }
        Self { span, spec, tenant, started: Instant::now(), is_ended: false }
    }

    /// Returns the span for everything that the call does.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Records that the call ended.
    pub(crate) fn end(mut self, code: Code) {
        self.record(code);
    }

    fn record(&mut self, code: Code) {
        self.is_ended = true;
        ended(&self.span, code);
        metrics::served(self.spec, self.tenant.unwrap_or_default(), code, self.started.elapsed());
    }
}

/// Returns the trace of the caller, for logs.
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(TRACEPARENT)?.to_str().ok()?.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        if !self.is_ended {
            self.record(Code::Cancelled);
        }
    }
}
