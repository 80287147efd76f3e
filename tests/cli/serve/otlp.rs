//! The export of traces.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::{TRACE, traced, upstream};
use crate::command::{Serving, command, run_command};
use crate::support::directory::Directory;
use crate::support::scripted::{Scripted, answer};
use crate::support::tls::{acceptor, issue, new_authority};

#[allow(dead_code, reason = "the example also prints")]
#[path = "../../../examples/otlp/collector.rs"]
mod collector;

/// Serves one call of a caller with a trace, with these variables.
fn serve_one(runtime: &Runtime, variables: &[(&str, &str)]) {
    let emulator = upstream(runtime);
    let endpoint = emulator.endpoint();
    let mut command = command(&["serve", "--listen", "127.0.0.1:0", "--endpoint", &endpoint]);
    command.envs(variables.iter().copied());
    let serving = Serving::start(command);
    traced(&serving.endpoint);
    // It sends what is left when it ends.
    assert_eq!(serving.stop("-TERM").ok(), "");
}

fn expect_one(spans: &[Span]) {
    let served = spans.iter().find(|span| span.kind == SpanKind::Server as i32);
    let served = served.unwrap_or_else(|| panic!("{spans:?}"));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(
        (&*hex(&served.trace_id), &*hex(&served.parent_span_id)),
        (TRACE, "00f067aa0ba902b7")
    );
    let call = spans.iter().find(|span| span.parent_span_id == served.span_id);
    assert_eq!(call.unwrap().name, "eset.dotnod.automation.v1.DeviceTasks/ListTasks");
}

#[test]
fn traces_are_exported_over_grpc() {
    let runtime = Runtime::new().unwrap();
    let collector = runtime.block_on(collector::Collector::start()).unwrap();
    serve_one(&runtime, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint())]);
    expect_one(&collector.spans());
}

#[test]
fn traces_are_exported_over_http() {
    let runtime = Runtime::new().unwrap();
    let _guard = runtime.enter();
    let done = || answer("200 OK", &[], "");
    let plain = runtime.block_on(Scripted::start([])).otherwise(done());
    let authority = new_authority();
    let certified = acceptor(&issue(&authority, "localhost"), &[b"http/1.1"], None);
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let secure = Scripted::accept(listener, [], certified).otherwise(done());
    let directory = Directory::new();
    let roots = directory.join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let https = format!("https://localhost:{}", secure.address().port());
    for (collector, endpoint) in [(&plain, plain.endpoint()), (&secure, https)] {
        serve_one(
            &runtime,
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=hunter2"),
                ("SSL_CERT_FILE", roots.to_str().unwrap()),
            ],
        );
        let mut spans = Vec::new();
        for request in collector.seen() {
            assert_eq!(request.line(), "POST /v1/traces");
            assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
            assert_eq!(request.header("x-api-key"), Some("hunter2"));
            let export = ExportTraceServiceRequest::decode(&*request.body).unwrap();
            let scopes = export.resource_spans.into_iter().flat_map(|one| one.scope_spans);
            spans.extend(scopes.flat_map(|scope| scope.spans));
        }
        expect_one(&spans);
    }
}

/// What could keep traces from arriving without a word is an error at the start.
#[test]
fn a_wrong_setting_of_the_export_is_refused() {
    for (name, value, expected) in [
        ("PROTOCOL", "http/json", "expected grpc or http/protobuf, found \"http/json\""),
        ("TRACES_PROTOCOL", "http", "expected grpc or http/protobuf, found \"http\""),
        ("COMPRESSION", "zstd", "expected none or gzip, found \"zstd\""),
        ("TIMEOUT", "10s", "expected a number of milliseconds, found \"10s\""),
        ("ENDPOINT", "http://hunter2@", "expected http(s)://HOST:PORT"),
    ] {
        for protocol in ["grpc", "http/protobuf"] {
            let mut command = command(&["serve", "--endpoint", "http://127.0.0.1:1"]);
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://hunter2@");
            command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
            command.env(format!("OTEL_EXPORTER_OTLP_{name}"), value);
            let error = run_command(command, b"").fails(2);
            assert!(error.contains(&format!("OTEL_EXPORTER_OTLP_{name}: {expected}")), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
