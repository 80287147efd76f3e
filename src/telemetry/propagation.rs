//! Adds the trace context to requests.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::Injector;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// Adds the context of a span, or else the current one, unless the caller set one.
pub(super) fn inject(span: &Span, headers: &mut HeaderMap) {
    let context = context_of(span);
    let context = context.unwrap_or_else(Context::current);
    if !context.span().span_context().is_valid() {
        return;
    }
    global::get_text_map_propagator(|propagator| {
        let mut fields = propagator.fields().peekable();
        // Uses W3C if the program sets no propagator.
        let is_set = fields.peek().is_some();
        if headers.contains_key(TRACEPARENT) || fields.any(|field| headers.contains_key(field)) {
            return;
        }
        let mut carrier = Carrier(headers);
        if is_set {
            propagator.inject_context(&context, &mut carrier);
        } else {
            inject_w3c(context.span().span_context(), &mut carrier);
        }
    });
}

/// Returns the span's context. A span that a filter disabled has none, but its parent may.
fn context_of(span: &Span) -> Option<Context> {
    let spans = [span.clone(), Span::current()];
    let mut contexts = spans.iter().map(OpenTelemetrySpanExt::context);
    contexts.find(|context| context.span().span_context().is_valid())
}

fn inject_w3c(context: &SpanContext, carrier: &mut Carrier<'_>) {
    let flags = context.trace_flags().to_u8();
    let parent = format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id());
    carrier.set(TRACEPARENT, parent);
    carrier.set(TRACESTATE, context.trace_state().header());
}

/// The headers of a request.
struct Carrier<'a>(&'a mut HeaderMap);

impl Injector for Carrier<'_> {
    /// Does not replace headers, and skips values that a header cannot contain.
    fn set(&mut self, key: &str, value: String) {
        if value.is_empty() {
            return;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.entry(name).or_insert(value);
        }
    }
}
