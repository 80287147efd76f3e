//! Logs a line for each finished call: RPC, code, time and attempts. A server logs the calls of its callers, each with
//! what is known of its call to the upstream, if there was one.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::json;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::format::Format;
use super::json;
use super::prefix::begin;
use crate::stderr;
use crate::style::Style;
use crate::text::{count, printable};

/// Observes the spans of calls, as documented by the library.
pub struct Calls {
    style: Style,
    format: Format,
}

impl Calls {
    pub fn new(style: Style, format: Format) -> Self {
        Self { style, format }
    }

    fn json(call: &CallSpan, served: Option<&Served>) -> String {
        let code = if call.code.is_empty() { "CANCELLED" } else { call.code.as_str() };
        let mut fields = json!({
            "message": "a call ended",
            "rpc.method": call.rpc,
            "rpc.response.status_code": code,
            "milliseconds": u64::try_from(call.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "attempts": call.attempts,
            "request_id": call.request_id,
            "trace_id": served.map(|served| &served.trace),
        });
        for (key, name) in served.into_iter().flat_map(Served::names) {
            fields[key] = name.into();
        }
        json::line("INFO", target(served), &fields)
    }

    fn line(&self, call: &CallSpan, served: Option<&Served>) -> Result<String, fmt::Error> {
        if self.format == Format::Json {
            return Ok(Self::json(call, served));
        }
        let mut line = String::new();
        begin(&mut Writer::new(&mut line), self.style, tracing::Level::INFO)?;
        let method = self.style.bold(call.method());
        let target = self.style.dim(target(served));
        let code = match &*call.code {
            "OK" => self.style.green("OK"),
            "" => "CANCELLED".to_owned(),
            code => self.style.red(code),
        };
        line.push_str(&format!("{method}: {target}: {code} in {}", elapsed(call.begun.elapsed())));
        if let Some(attempts) = call.attempts {
            line.push_str(&format!(", {}", count(attempts, "attempt")));
        }
        if !call.request_id.is_empty() {
            line.push_str(&format!(", request-id {}", printable(&call.request_id)));
        }
        for (what, name) in served.into_iter().flat_map(Served::names) {
            line.push_str(&format!(", {what} {}", printable(name)));
        }
        line.push('\n');
        Ok(line)
    }
}

fn target(served: Option<&Served>) -> &'static str {
    if served.is_some() { "eset_protect::serve" } else { "eset_protect::call" }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calls {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        let Some(span) = context.span(id) else { return };
        match (metadata.target(), metadata.name()) {
            ("eset_protect::call", "call") => {
                let mut call = CallSpan::default();
                attributes.record(&mut call);
                span.extensions_mut().insert(call);
            }
            ("eset_protect::serve", "serve") => {
                let mut served = Served::default();
                attributes.record(&mut served);
                span.extensions_mut().insert(served);
            }
            _ => {}
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(call) = extensions.get_mut::<CallSpan>() {
            values.record(call);
        } else if let Some(served) = extensions.get_mut::<Served>() {
            values.record(served);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let line = match (extensions.get::<CallSpan>(), extensions.get::<Served>()) {
            (Some(call), _) => {
                let parent = span.parent();
                let mut parent = parent.as_ref().map(SpanRef::extensions_mut);
                match parent.as_mut().and_then(|parent| parent.get_mut::<Served>()) {
                    Some(served) => {
                        served.call.attempts = call.attempts;
                        served.call.request_id.clone_from(&call.request_id);
                        return;
                    }
                    None => self.line(call, None),
                }
            }
            (None, Some(served)) => self.line(&served.call, Some(served)),
            (None, None) => return,
        };
        if let Ok(line) = line {
            stderr::log(line.as_bytes());
        }
    }
}

/// The data of the span of a call that a server forwards or refuses.
#[derive(Default)]
struct Served {
    call: CallSpan,
    caller: String,
    tenant: String,
    trace: String,
}

impl Served {
    /// Returns of whom the call is, as far as that is known.
    fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let names = [("caller", &*self.caller), ("tenant", &*self.tenant)];
        names.into_iter().filter(|(_, name)| !name.is_empty())
    }
}

impl Visit for Served {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "eset_protect.caller" => value.clone_into(&mut self.caller),
            "eset_protect.tenant" => value.clone_into(&mut self.tenant),
            "trace_id" => value.clone_into(&mut self.trace),
            _ => self.call.record_str(field, value),
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn fmt::Debug) {}
}

/// The data of a call's span so far.
pub struct CallSpan {
    begun: Instant,
    rpc: String,
    code: String,
    attempts: Option<usize>,
    request_id: String,
}

impl CallSpan {
    /// Returns the RPC without its service, as in errors.
    pub fn method(&self) -> &str {
        self.rpc.rsplit('/').next().unwrap_or_default()
    }
}

impl Default for CallSpan {
    fn default() -> Self {
        let (rpc, code, request_id) = Default::default();
        Self { begun: Instant::now(), rpc, code, attempts: None, request_id }
    }
}

impl Visit for CallSpan {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "rpc.method" => value.clone_into(&mut self.rpc),
            "rpc.response.status_code" => value.clone_into(&mut self.code),
            "eset_protect.request_id" => value.clone_into(&mut self.request_id),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "eset_protect.attempts" {
            self.attempts = usize::try_from(value).ok();
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn fmt::Debug) {}
}

/// `12 ms`, `2.5 s`.
fn elapsed(time: Duration) -> String {
    match time.as_millis() {
        milliseconds @ 0..1000 => format!("{milliseconds} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
