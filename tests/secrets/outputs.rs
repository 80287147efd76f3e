//! Everything that this program outputs.

use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::support::causes::causes;

/// A growing text.
#[derive(Clone, Debug, Default)]
pub struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    pub fn read(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Text {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// The events of all crates, at every level.
    pub told: Text,
    /// The metrics with their labels.
    metrics: Text,
    /// What OTLP would export.
    spans: InMemorySpanExporter,
    /// The output of `Debug` and `Display`.
    shown: Text,
}

impl Outputs {
    /// Returns the outputs of this program, which has one subscriber and one recorder.
    pub fn of_program() -> &'static Self {
        static OUTPUTS: OnceLock<Outputs> = OnceLock::new();
        OUTPUTS.get_or_init(|| {
            let outputs = Self::default();
            let text = tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_span_events(FmtSpan::FULL)
                .with_writer(outputs.told.clone());
            let exporter = outputs.spans.clone();
            let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("secrets"));
            tracing_subscriber::registry().with(text).with(layer).init();
            metrics::set_global_recorder(Labels(outputs.metrics.clone())).unwrap();
            outputs
        })
    }

    /// Formats a value in all available ways.
    pub fn show(&self, thing: &dyn std::fmt::Debug) {
        let mut text = String::new();
        writeln!(text, "{thing:?} {thing:#?}").unwrap();
        io::Write::write_all(&mut self.shown.clone(), text.as_bytes()).unwrap();
    }

    /// Formats an error and its causes.
    pub fn show_error(&self, error: &(dyn std::error::Error + 'static)) {
        for cause in causes(error) {
            self.show(&cause);
            self.show(&cause.to_string());
        }
    }

    /// Returns all outputs by name.
    pub fn all(&self) -> [(&'static str, String); 4] {
        let spans = self.spans.get_finished_spans().unwrap();
        [
            ("tracing", self.told.read()),
            ("metrics", self.metrics.read()),
            ("OTLP", format!("{spans:#?}")),
            ("Debug and Display", self.shown.read()),
        ]
    }
}

/// Records every metric.
struct Labels(Text);

impl Labels {
    fn note(&self, key: &Key) {
        let line = format!("{key:?}\n");
        io::Write::write_all(&mut self.0.clone(), line.as_bytes()).unwrap();
    }
}

impl Recorder for Labels {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.note(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.note(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}
