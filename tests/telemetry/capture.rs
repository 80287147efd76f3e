//! Records every span and event of this thread.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::support::recording::record;

type Fields = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub struct Span {
    id: u64,
    parent: Option<u64>,
    pub name: &'static str,
    pub target: &'static str,
    pub level: Level,
    pub fields: Fields,
    pub is_closed: bool,
}

#[derive(Clone, Debug)]
pub struct Told {
    pub level: Level,
    pub target: String,
    /// The name of the enclosing span.
    pub span: Option<&'static str>,
    pub fields: Fields,
}

impl Told {
    /// Formats it as `WARN eset_protect::call message`.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.level, self.target, self.fields["message"])
    }
}

#[derive(Debug, Default)]
struct Kept {
    spans: Vec<Span>,
    events: Vec<Told>,
}

impl Span {
    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn parent(&self) -> Option<u64> {
        self.parent
    }
}

/// The recorded data.
#[derive(Clone, Debug, Default)]
pub struct Capture(Arc<Mutex<Kept>>);

impl Capture {
    /// Records in this thread as long as the guard lives.
    pub fn begin() -> (Self, DefaultGuard) {
        let capture = Self::default();
        let guard = record(Registry::default().with(capture.clone()));
        (capture, guard)
    }

    /// Returns the spans of this crate in the order of their start.
    pub fn spans(&self) -> Vec<Span> {
        let kept = self.0.lock().unwrap();
        let spans = kept.spans.iter();
        spans.filter(|span| span.target.starts_with("eset_protect::")).cloned().collect()
    }

    /// Returns the only span of a call, and the spans below it.
    #[track_caller]
    pub fn call(&self) -> (Span, Vec<Span>) {
        let spans = self.spans();
        let calls: Vec<_> = spans.iter().filter(|span| span.name == "call").collect();
        assert_eq!(calls.len(), 1, "{spans:#?}");
        let below = spans.iter().filter(|span| span.parent == Some(calls[0].id));
        (calls[0].clone(), below.cloned().collect())
    }

    /// Returns the events of this crate.
    pub fn events(&self) -> Vec<Told> {
        let kept = self.0.lock().unwrap();
        let events = kept.events.iter();
        events.filter(|event| event.target.starts_with("eset_protect::")).cloned().collect()
    }

    pub fn lines(&self) -> Vec<String> {
        self.events().iter().map(Told::line).collect()
    }
}

struct Visitor<'a>(&'a mut Fields);

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Visitor(&mut fields));
        let parent = context.span(id).and_then(|span| Some(span.parent()?.id().into_u64()));
        let metadata = attributes.metadata();
        self.0.lock().unwrap().spans.push(Span {
            id: id.into_u64(),
            parent,
            name: metadata.name(),
            target: metadata.target(),
            level: *metadata.level(),
            fields,
            is_closed: false,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut kept = self.0.lock().unwrap();
        // Numbers are reused for later spans, so the last one is meant.
        if let Some(span) = kept.spans.iter_mut().rfind(|span| span.id == id.into_u64()) {
            values.record(&mut Visitor(&mut span.fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Visitor(&mut fields));
        self.0.lock().unwrap().events.push(Told {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            span: context.lookup_current().map(|span| span.name()),
            fields,
        });
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let mut kept = self.0.lock().unwrap();
        if let Some(span) = kept.spans.iter_mut().rfind(|span| span.id == id.into_u64()) {
            span.is_closed = true;
        }
    }
}
