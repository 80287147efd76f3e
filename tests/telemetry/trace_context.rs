//! The trace context of requests. No propagator is set in this program.

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::{Fault, Running};
use eset_protect::{Client, Error};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tonic::Code;
use tracing::Instrument;
use tracing::subscriber::DefaultGuard;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::fixture::{BOTH, client, emulator};
use crate::support::recording::record;

const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Traces what happens in this thread.
fn trace() -> (InMemorySpanExporter, DefaultGuard) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = Registry::default().with(layer);
    (exporter, record(subscriber))
}

async fn list(client: &Client) -> Result<(), Error> {
    client.device_tasks().list_tasks(ListTasksRequest::default()).await.map(drop)
}

/// Returns the values of a header in all received calls.
fn came(running: &Running, name: &str) -> Vec<Option<String>> {
    let log = running.log();
    let calls = log.iter().filter(|arrival| arrival.is_rpc("ListTasks"));
    calls.map(|call| Some(call.headers.get(name)?.to_str().unwrap().to_owned())).collect()
}

fn written(span: &SpanData) -> Option<String> {
    let context = &span.span_context;
    Some(format!("00-{}-{}-01", context.trace_id(), context.span_id()))
}

fn remote() -> SpanContext {
    SpanContext::new(
        TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap(),
        SpanId::from_hex("00f067aa0ba902b7").unwrap(),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("vendor", "of-old")]).unwrap(),
    )
}

#[tokio::test]
async fn every_attempt_carries_the_context_of_its_own_span() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        running.faults().push_for("ListTasks", Fault::code(Code::Unavailable));
        let client = client(&running, wire);
        let (exporter, _guard) = trace();
        let span = tracing::info_span!("caller");
        span.set_parent(Context::new().with_remote_span_context(remote())).unwrap();
        list(&client).instrument(span).await.unwrap();

        let spans = exporter.get_finished_spans().unwrap();
        let call = spans.iter().find(|span| span.name.starts_with("eset.")).unwrap();
        let below: Vec<_> = spans
            .iter()
            .filter(|span| span.parent_span_id == call.span_context.span_id())
            .collect();
        assert_eq!(below.len(), 2, "{spans:#?}");
        assert_eq!(came(&running, "traceparent"), [written(below[0]), written(below[1])]);
        // The trace continues from where it came.
        assert_eq!(call.span_context.trace_id(), remote().trace_id());
        let state = Some("vendor=of-old".to_owned());
        assert_eq!(came(&running, "tracestate"), [state.clone(), state]);
    }
}

#[tokio::test]
async fn a_context_that_the_caller_gives_is_left_alone() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        let client = client(&running, wire);
        let (_exporter, _guard) = trace();
        let span = tracing::info_span!("caller");
        span.set_parent(Context::new().with_remote_span_context(remote())).unwrap();
        let call = client.device_tasks().list_tasks(ListTasksRequest::default());
        let call = call.metadata("traceparent", GIVEN).send();
        call.instrument(span).await.unwrap();
        assert_eq!(came(&running, "traceparent"), [Some(GIVEN.to_owned())]);
        assert_eq!(came(&running, "tracestate"), [None]);
    }
}

#[tokio::test]
async fn without_a_tracing_layer_it_is_the_current_context() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        let client = client(&running, wire);
        list(&client).await.unwrap();
        let _context = Context::new().with_remote_span_context(remote()).attach();
        list(&client).await.unwrap();
        assert_eq!(came(&running, "traceparent"), [None, Some(GIVEN.to_owned())]);
    }
}

#[tokio::test]
async fn asking_for_a_pending_answer_is_the_identical_request() {
    let running = emulator(|builder| builder).await;
    running.faults().push_for("ListTasks", Fault::pending(2));
    let client = client(&running, eset_protect::Wire::Rest);
    let (_exporter, _guard) = trace();
    list(&client).await.unwrap();
    let came = came(&running, "traceparent");
    assert_eq!(came.len(), 3);
    assert!(came[0].is_some() && came.iter().all(|other| *other == came[0]), "{came:?}");
}
