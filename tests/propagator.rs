//! The program's own propagator determines how the trace context is written. It is global for all tests of a
//! program, so this test is alone.

#![cfg(all(feature = "emulator", feature = "otel", feature = "rest"))]

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::Emulator;
use eset_protect::{Client, Wire};
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, global};

/// Writes the trace and a header that no connection can carry.
#[derive(Debug)]
struct Own([String; 1]);

impl TextMapPropagator for Own {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        injector.set("x-trace", context.span().span_context().trace_id().to_string());
        injector.set("x broken", "1".to_owned());
        injector.set("x-broken", "1\n2".to_owned());
        injector.set("authorization", "mine".to_owned());
    }

    fn extract_with_context(&self, context: &Context, _: &dyn Extractor) -> Context {
        context.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.0)
    }
}

#[tokio::test]
async fn the_programs_propagator_writes_the_context() {
    global::set_text_map_propagator(Own(["x-trace".to_owned()]));
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let context = SpanContext::new(
        TraceId::from_hex(trace).unwrap(),
        SpanId::from_hex("00f067aa0ba902b7").unwrap(),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let _context = Context::new().with_remote_span_context(context).attach();
    for wire in [Wire::Grpc, Wire::Rest] {
        let running = Emulator::builder().build().unwrap().start().await.unwrap();
        let client = Client::builder(&running.endpoint()).wire(wire).connect_lazy().unwrap();
        let call = || client.device_tasks().list_tasks(ListTasksRequest::default());
        call().metadata("authorization", "the callers").await.unwrap();
        call().metadata("x-trace", "given").await.unwrap();
        let log = running.log();
        assert_eq!(log[0].headers["x-trace"], trace);
        assert!(!log[0].headers.contains_key("traceparent"));
        assert!(!log[0].headers.contains_key("x-broken"));
        assert_eq!(log[0].headers.get_all("authorization").iter().count(), 1);
        assert_eq!(log[1].headers["x-trace"], "given");
        assert!(!log[1].headers.contains_key("authorization"));
    }
}
