//! The trace of a caller goes on.

#![cfg(feature = "otel")]

use std::time::Duration;

use bytes::Bytes;
use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::ConnectionLimits;
use eset_protect::serve::{Access, Bridge, Caller, Identity, Rules, TokenHash};
use http::{Request, Version};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::recording::record;
use crate::{Fixture, WIRES, client, emulator, exchange, send};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn the_trace_of_a_caller_goes_on() {
    let given = format!("00-{TRACE}-{CALLER}-01");
    for (front, upstream) in WIRES.into_iter().flat_map(|front| WIRES.map(|wire| (front, wire))) {
        let fixture = Fixture::start(upstream).await;
        let client = client(&fixture.bridge.endpoint(), front);
        let list = async || {
            let call = client.device_tasks().list_tasks(ListTasksRequest::default());
            call.metadata("traceparent", &given).metadata("tracestate", "a=b").await.unwrap();
            let headers = fixture.emulator.log().pop().unwrap().headers;
            ["traceparent", "tracestate"].map(|name| headers[name].to_str().unwrap().to_owned())
        };
        // Without anybody who traces, it is passed on.
        assert_eq!(list().await, [given.clone(), "a=b".to_owned()]);

        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let guard = record(Registry::default().with(layer));
        // Another test may be registering the same spans, and end that after this subscriber is there.
        list().await;
        tracing::callsite::rebuild_interest_cache();
        exporter.reset();
        let [parent, state] = list().await;
        drop(guard);
        let spans = exporter.get_finished_spans().unwrap();
        let named = |kind: &str| {
            spans.iter().find(|span| {
                format!("{:?}", span.span_kind) == kind && span.parent_span_id.to_string() == CALLER
            })
        };
        let served = named("Server").unwrap_or_else(|| panic!("{spans:#?}"));
        assert_eq!(served.span_context.trace_id().to_string(), TRACE);
        let parts: Vec<_> = parent.split('-').collect();
        assert_eq!((parts[1], &*state), (TRACE, "a=b"));
        // The parent of the upstream is the attempt of this call.
        let attempt = spans.iter().find(|span| span.span_context.span_id().to_string() == parts[2]);
        let attempt = attempt.unwrap();
        let call = spans.iter().find(|span| span.span_context.span_id() == attempt.parent_span_id);
        assert_eq!(call.unwrap().parent_span_id, served.span_context.span_id());
    }
}

/// The codes of the calls that are not forwarded, and of whom they are.
#[tokio::test]
async fn a_refused_call_is_observed() {
    let upstream = emulator().await;
    let rules = Rules::new().read_only(true);
    let caller = Caller::new("soar", Identity::Token(TokenHash::of("token")));
    let access = Access::new().tenant("acme", client(&upstream.endpoint(), Wire::Rest));
    let access = access.caller(caller.tenant("acme").rules(rules)).unwrap();
    let bridge = Bridge::new(access).start().await.unwrap();
    for front in WIRES {
        let client = client(&bridge.endpoint(), front);
        let call = async |token: &str, tenant: &str| {
            let call = client.device_tasks().delete_task("0b7f");
            let call = call.metadata("authorization", &format!("Bearer {token}"));
            call.metadata("eset-protect-tenant", tenant).await.unwrap_err();
        };
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let guard = record(Registry::default().with(layer));
        call("unknown", "acme").await;
        tracing::callsite::rebuild_interest_cache();
        exporter.reset();
        for (token, tenant) in [("unknown", "acme"), ("token", "other"), ("token", "acme")] {
            call(token, tenant).await;
        }
        drop(guard);
        let spans = exporter.get_finished_spans().unwrap();
        let served = spans.iter().filter(|span| format!("{:?}", span.span_kind) == "Server");
        let told = served.map(|span| {
            ["rpc.response.status_code", "eset_protect.caller", "eset_protect.tenant"].map(|name| {
                let found = span.attributes.iter().find(|one| one.key.as_str() == name);
                found.map(|one| one.value.to_string()).unwrap_or_default()
            })
        });
        let expected = [
            ["UNAUTHENTICATED", "", ""],
            ["PERMISSION_DENIED", "soar", ""],
            ["PERMISSION_DENIED", "soar", "acme"],
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}

/// A call and its code, however it ends before it is forwarded.
#[tokio::test]
async fn a_call_that_is_not_forwarded_is_observed_once() {
    const LIST: &str = "/eset.dotnod.automation.v1.DeviceTasks/ListTasks";
    let upstream = emulator().await;
    let mut limits = ConnectionLimits::default();
    limits.body_time = Duration::from_millis(50);
    let bridge = Bridge::to(client(&upstream.endpoint(), Wire::Rest)).connection_limits(limits);
    let bridge = bridge.start().await.unwrap();
    let endpoint = bridge.endpoint();
    let grpc = |path: &str| {
        let request = Request::post(format!("{endpoint}{path}")).version(Version::HTTP_2);
        request.header("content-type", "application/grpc")
    };
    let rest = |method: &str, path: &str| {
        Request::builder().method(method).uri(format!("{endpoint}{path}"))
    };
    let (empty, nothing) = (Bytes::from_static(&[0; 5]), Bytes::new());
    let large = Bytes::from_static(&[0, 255, 255, 255, 255]);
    let json = rest("POST", "/v1/device_tasks").header("content-type", "application/json");
    let requests = [
        (grpc(LIST).body(large), "ListTasks RESOURCE_EXHAUSTED"),
        (grpc(LIST).body(Bytes::from_static(&[7; 5])), "ListTasks INTERNAL"),
        (grpc(LIST).body(nothing.clone()), "ListTasks UNIMPLEMENTED"),
        (grpc(LIST).header("grpc-encoding", "br").body(empty.clone()), "ListTasks UNIMPLEMENTED"),
        (grpc("/no.Such/Call").body(empty.clone()), "_OTHER UNIMPLEMENTED"),
        (grpc("/grpc.health.v1.Health/Call").body(empty), "_OTHER UNIMPLEMENTED"),
        (json.body("{".into()), "CreateTask INVALID_ARGUMENT"),
        (rest("POST", "/v1/device_tasks").body("{}".into()), "CreateTask INVALID_ARGUMENT"),
        (rest("GET", "/none").body(nothing.clone()), "_OTHER NOT_FOUND"),
        (rest("GET", "/v1/device_tasks").body(nothing.clone()), "ListTasks OK"),
        // No calls.
        (rest("GET", "/").body(nothing.clone()), ""),
        (rest("GET", "/openapi.json").body(nothing), ""),
    ];
    let slow = "POST /v1/device_tasks HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n";
    let long = slow.replace("length: 9", "length: 99999999");
    let mut codes = requests.each_ref().map(|(_, code)| *code).to_vec();
    let all = async || {
        for (request, _) in &requests {
            send(request.as_ref().unwrap().clone()).await;
        }
        for text in [slow, &long] {
            exchange(bridge.local_addr(), text).await;
        }
    };
    codes.extend(["CreateTask DEADLINE_EXCEEDED", "CreateTask INVALID_ARGUMENT"]);
    codes.retain(|code| !code.is_empty());

    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let guard = record(Registry::default().with(layer));
    all().await;
    tracing::callsite::rebuild_interest_cache();
    exporter.reset();
    all().await;
    drop(guard);
    let spans = exporter.get_finished_spans().unwrap();
    let served = spans.iter().filter(|span| format!("{:?}", span.span_kind) == "Server");
    let told = served.map(|span| {
        let [method, code] = ["rpc.method", "rpc.response.status_code"].map(|name| {
            let found = span.attributes.iter().find(|one| one.key.as_str() == name);
            found.map(|one| one.value.to_string()).unwrap_or_default()
        });
        format!("{} {code}", method.rsplit('/').next().unwrap())
    });
    assert_eq!(told.collect::<Vec<_>>(), codes);
}
