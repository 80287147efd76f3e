//! The spans of a call, on both wires.

use std::future::IntoFuture;

use eset_protect::auth::BoxFuture;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::{Fault, Running};
use eset_protect::transport::{Reply, Request, Transport};
use eset_protect::{Client, Error, Wire};
use tonic::Code;
use tracing::Level;

use crate::capture::{Capture, Span};
use crate::fixture::{BOTH, METHOD, builder, client, emulator};
use crate::support::driven_timer::DrivenTimer;

#[track_caller]
fn has(span: &Span, fields: &[(&str, &str)]) {
    for (name, value) in fields {
        let found = span.fields.get(*name).map(String::as_str);
        assert_eq!(found, Some(*value), "{name} of {span:#?}");
    }
}

#[track_caller]
fn lacks(span: &Span, fields: &[&str]) {
    for name in fields {
        assert!(!span.fields.contains_key(*name), "{name} of {span:#?}");
    }
}

fn port(running: &Running) -> String {
    running.local_addr().port().to_string()
}

async fn list(client: &Client) -> Result<(), eset_protect::Error> {
    client.device_tasks().list_tasks(ListTasksRequest::default()).await.map(drop)
}

#[tokio::test]
async fn a_call_is_a_span_with_its_request_below() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        let (capture, _guard) = Capture::begin();
        list(&client(&running, wire)).await.unwrap();

        let (call, below) = capture.call();
        let port = port(&running);
        let server = [("server.address", "127.0.0.1"), ("server.port", port.as_str())];
        assert_eq!((call.target, call.level), ("eset_protect::call", Level::INFO));
        has(&call, &server);
        has(
            &call,
            &[
                ("otel.name", METHOD),
                ("otel.kind", "client"),
                ("rpc.system.name", "grpc"),
                ("rpc.method", METHOD),
                ("rpc.response.status_code", "OK"),
                ("eset_protect.attempts", "1"),
            ],
        );
        lacks(&call, &["error.type", "otel.status_code"]);
        assert!(call.is_closed);

        let [request] = below.as_slice() else { panic!("{below:#?}") };
        assert_eq!((request.target, request.level), ("eset_protect::wire", Level::INFO));
        has(request, &server);
        has(request, &[("otel.kind", "client")]);
        lacks(request, &["error.type", "otel.status_code", "http.request.resend_count"]);
        let request_id = call.fields["eset_protect.request_id"].as_str();
        has(request, &[("eset_protect.request_id", request_id)]);
        if wire == Wire::Grpc {
            let name = format!("Attempt.{METHOD}");
            has(
                request,
                &[
                    ("otel.name", name.as_str()),
                    ("rpc.system.name", "grpc"),
                    ("rpc.method", METHOD),
                    ("rpc.response.status_code", "OK"),
                    ("previous-rpc-attempts", "0"),
                ],
            );
        } else {
            let url = format!("{}/v1/device_tasks", running.endpoint());
            has(
                request,
                &[
                    ("otel.name", "GET /v1/device_tasks"),
                    ("http.request.method", "GET"),
                    ("url.template", "/v1/device_tasks"),
                    ("url.full", url.as_str()),
                    ("http.response.status_code", "200"),
                    ("network.protocol.version", "1.1"),
                ],
            );
        }
    }
}

#[tokio::test]
async fn a_template_has_no_uuid_and_a_url_no_page_token() {
    let running = emulator(|builder| builder).await;
    let client = client(&running, Wire::Rest);
    let first = ListTasksRequest { page_size: 2, ..Default::default() };
    let page = client.device_tasks().list_tasks(first).await.unwrap();
    let token = page.next_page_token;
    assert!(!token.is_empty());
    let (capture, _guard) = Capture::begin();
    let next = ListTasksRequest { page_size: 2, page_token: token.clone() };
    client.device_tasks().list_tasks(next).await.unwrap();
    client.device_tasks().get_task(page.tasks[0].uuid.as_str()).await.unwrap();

    let spans = capture.spans();
    let requests: Vec<_> = spans.iter().filter(|span| span.name == "request").collect();
    has(requests[1], &[("otel.name", "GET /v1/device_tasks/{task_uuid}")]);
    has(requests[1], &[("url.template", "/v1/device_tasks/{task_uuid}")]);
    assert!(requests[1].fields["url.full"].ends_with(&page.tasks[0].uuid));
    assert!(!format!("{spans:?}").contains(&token), "{spans:#?}");
}

/// Answers everything with an empty message.
#[derive(Debug)]
struct Empty;

impl Transport for Empty {
    fn send<'a>(&'a self, _: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(async { Ok(Reply::protobuf(Vec::new())) })
    }
}

#[tokio::test]
async fn a_response_without_its_output_fails_both_spans() {
    for wire in BOTH {
        let (capture, _guard) = Capture::begin();
        let builder = Client::builder("http://127.0.0.1:1").wire(wire).layer(|_| Empty);
        builder.connect_lazy().unwrap().device_tasks().get_task("t-1").await.unwrap_err();
        let (call, below) = capture.call();
        for span in [&call, &below[0]] {
            has(span, &[("error.type", "INTERNAL"), ("otel.status_code", "ERROR")]);
        }
        assert_eq!(below.len(), 1);
    }
}

#[tokio::test]
async fn every_attempt_is_a_span_that_counts_those_before() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        for _ in 0..2 {
            running.faults().push_for("ListTasks", Fault::code(Code::Unavailable));
        }
        let (capture, _guard) = Capture::begin();
        list(&client(&running, wire)).await.unwrap();

        let (call, below) = capture.call();
        has(&call, &[("eset_protect.attempts", "3"), ("rpc.response.status_code", "OK")]);
        lacks(&call, &["error.type", "otel.status_code"]);
        assert_eq!(below.len(), 3);
        for (attempt, number) in below.iter().zip(0..) {
            if wire == Wire::Grpc {
                has(attempt, &[("previous-rpc-attempts", number.to_string().as_str())]);
            } else if number > 0 {
                has(attempt, &[("http.request.resend_count", number.to_string().as_str())]);
            }
        }
        let failed = if wire == Wire::Grpc { "UNAVAILABLE" } else { "503" };
        has(&below[0], &[("error.type", failed), ("otel.status_code", "ERROR")]);
        lacks(&below[2], &["error.type", "otel.status_code"]);
    }
}

#[tokio::test]
async fn a_failure_is_named_by_its_code() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        let client = client(&running, wire);
        let (capture, _guard) = Capture::begin();
        let error = client
            .device_tasks()
            .get_task("11111111-1111-4111-8111-111111111111")
            .await
            .unwrap_err();
        let (call, below) = capture.call();
        let failed = [("error.type", "NOT_FOUND"), ("otel.status_code", "ERROR")];
        has(&call, &failed);
        has(&call, &[("rpc.response.status_code", "NOT_FOUND")]);
        has(&call, &[("eset_protect.request_id", error.request_id().unwrap())]);
        if wire == Wire::Grpc {
            has(&below[0], &failed);
        } else {
            has(&below[0], &[("http.response.status_code", "404"), ("error.type", "404")]);
        }
    }
}

#[tokio::test]
async fn no_connection_is_a_failure_without_an_answer() {
    for wire in BOTH {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let builder = Client::builder(&endpoint).wire(wire);
        let client = builder.retry(eset_protect::RetryPolicy::none()).connect_lazy().unwrap();
        let (capture, _guard) = Capture::begin();
        list(&client).await.unwrap_err();
        let (call, below) = capture.call();
        has(&call, &[("error.type", "UNAVAILABLE"), ("eset_protect.attempts", "1")]);
        has(&below[0], &[("error.type", "UNAVAILABLE"), ("otel.status_code", "ERROR")]);
        lacks(&below[0], &["http.response.status_code", "network.protocol.version"]);
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_was_cancelled() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        let (fault, mut held) = Fault::hold();
        running.faults().push_for("ListTasks", fault);
        let client = client(&running, wire);
        let (capture, _guard) = Capture::begin();
        tokio::select! {
            result = list(&client) => panic!("{result:?}"),
            () = held.arrived(1) => {}
        }
        let (call, below) = capture.call();
        let cancelled = [("error.type", "CANCELLED"), ("otel.status_code", "ERROR")];
        has(&call, &cancelled);
        has(&call, &[("rpc.response.status_code", "CANCELLED")]);
        has(&below[0], &cancelled);
        assert!(call.is_closed && below[0].is_closed);
    }
}

#[tokio::test]
async fn a_call_whose_time_is_up_says_so() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        let (fault, mut held) = Fault::hold();
        running.faults().push_for("ListTasks", fault);
        let timer = DrivenTimer::new();
        let client = builder(&running, wire).timer(timer.clone()).connect_lazy().unwrap();
        let (capture, _guard) = Capture::begin();
        let call = client.device_tasks().list_tasks(ListTasksRequest::default());
        let (result, ()) = tokio::join!(call.into_future(), async {
            held.arrived(1).await;
            timer.run_out();
        });
        result.unwrap_err();
        let (call, below) = capture.call();
        has(&call, &[("rpc.response.status_code", "DEADLINE_EXCEEDED")]);
        assert_eq!(below.len(), 1);
        assert_eq!(below[0].fields["otel.status_code"], "ERROR");
    }
}

#[tokio::test]
async fn asking_for_a_pending_answer_is_a_request_of_the_same_attempt() {
    let running = emulator(|builder| builder).await;
    running.faults().push_for("ListTasks", Fault::pending(2));
    let client = client(&running, Wire::Rest);
    let (capture, _guard) = Capture::begin();
    list(&client).await.unwrap();
    let (call, below) = capture.call();
    has(&call, &[("eset_protect.attempts", "1")]);
    let status = |span: &Span| span.fields["http.response.status_code"].clone();
    assert_eq!(below.iter().map(status).collect::<Vec<_>>(), ["202", "202", "200"]);
    lacks(&below[0], &["http.request.resend_count"]);
    has(&below[1], &[("http.request.resend_count", "1")]);
    has(&below[2], &[("http.request.resend_count", "2")]);
}

/// Prefetched pages too, although a background task fetches them.
#[tokio::test]
async fn the_calls_of_a_list_are_below_the_span_of_their_caller() {
    for wire in BOTH {
        let running = emulator(|builder| builder).await;
        let (capture, _guard) = Capture::begin();
        let span = tracing::info_span!(target: "eset_protect::test", "report");
        let client = client(&running, wire);
        let list = async {
            let request = ListTasksRequest { page_size: 1, ..Default::default() };
            let mut pages = client.device_tasks().list_tasks(request).pages();
            while let Some(page) = pages.next().await {
                page.unwrap();
            }
        };
        tracing::Instrument::instrument(list, span).await;
        let spans = capture.spans();
        let report = spans.iter().find(|span| span.name == "report").unwrap();
        let calls: Vec<_> = spans.iter().filter(|span| span.name == "call").collect();
        assert!(calls.len() > 1, "{spans:#?}");
        assert!(calls.iter().all(|call| call.parent() == Some(report.id())), "{spans:#?}");
    }
}
