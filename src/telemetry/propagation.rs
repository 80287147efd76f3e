//! Adds the trace context to requests.

#[cfg(feature = "serve")]
use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue};
#[cfg(feature = "serve")]
use opentelemetry::propagation::Extractor;
use opentelemetry::propagation::Injector;
use opentelemetry::trace::{SpanContext, TraceContextExt};
#[cfg(feature = "serve")]
use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
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

/// Makes a span the child of the span whose context these headers carry, and removes them, so that requests carry the
/// context of the new span. Without a layer that gives spans a context, they stay. Returns the trace of the span.
#[cfg(feature = "serve")]
pub(super) fn adopt(span: &Span, headers: &mut HeaderMap) -> Option<TraceId> {
    let (parent, fields) = global::get_text_map_propagator(|propagator| {
        let fields: Vec<_> = propagator.fields().map(str::to_owned).collect();
        let parent = match fields.is_empty() {
            true => Context::new().with_remote_span_context(extract_w3c(headers)),
            false => propagator.extract(&Carried(headers)),
        };
        (parent, fields)
    });
    // It fails for a span that a filter disabled.
    let is_child = parent.span().span_context().is_valid() && span.set_parent(parent).is_ok();
    let own = span.context();
    let own = Some(own.span().span_context().trace_id()).filter(|trace| *trace != TraceId::INVALID);
    if is_child && own.is_some() {
        let fields = fields.iter().map(String::as_str).chain([TRACEPARENT, TRACESTATE]);
        fields.for_each(|field| drop(headers.remove(field)));
    }
    own
}

/// Reads `traceparent` and `tracestate` (<https://www.w3.org/TR/trace-context/#traceparent-header>).
#[cfg(feature = "serve")]
fn extract_w3c(headers: &HeaderMap) -> SpanContext {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let parse = || {
        let mut parts = text(TRACEPARENT)?.split('-');
        let version = parts.next().filter(|version| version.len() == 2 && *version != "ff")?;
        let trace = TraceId::from_hex(parts.next().filter(|id| id.len() == 32)?).ok()?;
        let span = SpanId::from_hex(parts.next().filter(|id| id.len() == 16)?).ok()?;
        let flags = parts.next().filter(|flags| flags.len() == 2)?;
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()? & 1);
        let has_more = parts.next().is_some();
        let state = TraceState::from_str(text(TRACESTATE).unwrap_or_default()).unwrap_or_default();
        (version != "00" || !has_more).then(|| SpanContext::new(trace, span, flags, true, state))
    };
    parse().unwrap_or(SpanContext::NONE)
}

#[cfg(feature = "serve")]
struct Carried<'a>(&'a HeaderMap);

#[cfg(feature = "serve")]
impl Extractor for Carried<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
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
