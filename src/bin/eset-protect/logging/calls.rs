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
use tracing_subscriber::registry::LookupSpan;

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

    fn json(call: &CallSpan) -> String {
        let code = if call.code.is_empty() { "CANCELLED" } else { call.code.as_str() };
        let mut fields = json!({
            "message": "a call ended",
            "rpc.method": call.rpc,
            "rpc.response.status_code": code,
            "milliseconds": u64::try_from(call.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "attempts": call.attempts,
            "request_id": call.request_id,
            "trace_id": call.is_served.then_some(&call.trace),
        });
        for (key, name) in call.names() {
            fields[key] = name.into();
        }
        json::line("INFO", call.target(), &fields)
    }

    fn line(&self, call: &CallSpan) -> Result<String, fmt::Error> {
        if self.format == Format::Json {
            return Ok(Self::json(call));
        }
        let mut line = String::new();
        begin(&mut Writer::new(&mut line), self.style, tracing::Level::INFO)?;
        let method = self.style.bold(call.method());
        let target = self.style.dim(call.target());
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
        for (what, name) in call.names() {
            line.push_str(&format!(", {what} {}", printable(name)));
        }
        line.push('\n');
        Ok(line)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calls {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        let is_served = match (metadata.target(), metadata.name()) {
            (CALL, "call") => false,
            (SERVE, "serve") => true,
            _ => return,
        };
        if let Some(span) = context.span(id) {
            let mut call = CallSpan::new(is_served);
            attributes.record(&mut call);
            span.extensions_mut().insert(call);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(call) = span.extensions_mut().get_mut::<CallSpan>() {
            values.record(call);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some(call) = extensions.get::<CallSpan>() else { return };
        // The line of a served call has what is known of its call to the upstream.
        if !call.is_served
            && let Some(parent) = span.parent()
            && let Some(served) = parent.extensions_mut().get_mut::<CallSpan>()
            && served.is_served
        {
            served.attempts = call.attempts;
            served.request_id.clone_from(&call.request_id);
            return;
        }
        if let Ok(line) = self.line(call) {
            stderr::log(line.as_bytes());
        }
    }
}

const CALL: &str = "eset_protect::call";
const SERVE: &str = "eset_protect::serve";

/// The data so far of the span of a call, or of one that a server forwards or refuses.
pub struct CallSpan {
    is_served: bool,
    begun: Instant,
    rpc: String,
    code: String,
    attempts: Option<usize>,
    request_id: String,
    caller: String,
    tenant: String,
    trace: String,
}

impl CallSpan {
    fn new(is_served: bool) -> Self {
        let (rpc, code, request_id, caller, tenant, trace) = Default::default();
        let (begun, attempts) = (Instant::now(), None);
        Self { is_served, begun, rpc, code, attempts, request_id, caller, tenant, trace }
    }

    /// Returns the RPC without its service, as in errors.
    pub fn method(&self) -> &str {
        self.rpc.rsplit('/').next().unwrap_or_default()
    }

    pub fn is_served(&self) -> bool {
        self.is_served
    }

    fn target(&self) -> &'static str {
        if self.is_served { SERVE } else { CALL }
    }

    /// Returns of whom the call is, as far as that is known.
    fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let names = [("caller", &*self.caller), ("tenant", &*self.tenant)];
        names.into_iter().filter(|(_, name)| !name.is_empty())
    }
}

impl Visit for CallSpan {
    fn record_str(&mut self, field: &Field, value: &str) {
        let known = match field.name() {
            "rpc.method" => &mut self.rpc,
            "rpc.response.status_code" => &mut self.code,
            "eset_protect.request_id" => &mut self.request_id,
            "eset_protect.caller" => &mut self.caller,
            "eset_protect.tenant" => &mut self.tenant,
            "trace_id" => &mut self.trace,
            _ => return,
        };
        value.clone_into(known);
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
