//! Errors and headers that are larger than what clients and proxies take.

use bytes::Bytes;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::emulator::Fault;
use eset_protect::proto::google::rpc::bad_request::FieldViolation;
use eset_protect::proto::google::rpc::{BadRequest, RequestInfo, Status as Rich};
use eset_protect::wkt::Any;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version};
use prost::Message;
use tonic::{Code, Status};

use crate::fronts::grpc_web;
use crate::{Fixture, WIRES, send};

/// The size of headers as HTTP/2 counts them.
fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

/// Makes a call over gRPC and returns the head of the response.
async fn grpc(endpoint: &str) -> HeaderMap {
    let mut request = grpc_web(endpoint, &ListTasksRequest::default());
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove("x-grpc-web");
    let grpc = HeaderValue::from_static("application/grpc");
    request.headers_mut().insert("content-type", grpc);
    send(request).await.headers().clone()
}

fn violations() -> Any {
    let violation = |number| FieldViolation {
        field: format!("tasks[{number}].name"),
        description: "a name has at most 255 characters".to_owned(),
        ..Default::default()
    };
    Any::pack(&BadRequest { field_violations: (0..200).map(violation).collect() })
}

#[tokio::test]
async fn the_code_of_an_error_of_any_size_arrives() {
    let small = Any::pack(&RequestInfo { request_id: "1".to_owned(), ..Default::default() });
    let long = ["ž".repeat(3_000), "x".repeat(200_000), "%".repeat(7_000)];
    let [letters, plain, encoded] = &long;
    for upstream in WIRES {
        let fixture = Fixture::start(upstream).await;
        for (message, details, kept) in [
            ("refused", vec![violations(), small.clone()], 1),
            ("refused", vec![small.clone(); 500], 50),
            (letters, vec![], 0),
            (plain, vec![], 0),
            (encoded, vec![small.clone()], 1),
            (plain, vec![small.clone(), violations()], 1),
        ] {
            let fault = || {
                let fault = Fault::status(Code::InvalidArgument, message, details.clone());
                let fault = (0..60).fold(fault, |fault, number| {
                    let name = format!("x-{number}").parse().unwrap();
                    fault.header(name, HeaderValue::from_static("of the upstream"))
                });
                let large = HeaderValue::try_from("x".repeat(3_000)).unwrap();
                fault.header("x-large".parse().unwrap(), large)
            };
            for endpoint in [fixture.bridge.endpoint(), fixture.emulator.endpoint()] {
                fixture.emulator.faults().push_for("ListTasks", fault());
                let headers = grpc(&endpoint).await;
                assert_eq!(headers["grpc-status"], "3", "{upstream:?}");
                assert!(size(&headers) < 6 * 1024, "{upstream:?}: {}", size(&headers));
                assert!(headers.contains_key("x-7"), "{headers:?}");
                let status = Status::from_header_map(&headers).unwrap();
                match status.message().strip_suffix("... [cut]") {
                    Some(begin) => assert!(begin.len() > 300 && message.starts_with(begin)),
                    None => assert_eq!(status.message(), message),
                }
                let rich = Rich::decode(status.details()).unwrap();
                assert!(rich.details.len() >= kept, "{upstream:?}: {}", rich.details.len());
                if kept > 0 {
                    // Clients in Python refuse details with another message.
                    assert_eq!(rich.message, status.message());
                }
            }
            fixture.emulator.faults().push_for("ListTasks", fault());
            let web = grpc_web(&fixture.bridge.endpoint(), &ListTasksRequest::default());
            let response = send(web).await;
            assert_eq!(response.headers()["grpc-status"], "3");
            assert!(size(response.headers()) < 6 * 1024);
        }
    }
}

#[tokio::test]
async fn an_error_over_rest_is_whole() {
    let fixture = Fixture::start(eset_protect::Wire::Rest).await;
    let message = "ž".repeat(3_000);
    let fault = Fault::status(Code::InvalidArgument, &message, vec![violations()]);
    fixture.emulator.faults().push_for("ListTasks", fault);
    let request = Request::get(format!("{}/v1/device_tasks", fixture.bridge.endpoint()));
    let answer = send(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(answer.status(), 400);
    let text = String::from_utf8_lossy(answer.body());
    assert!(text.contains(&message) && text.contains("tasks[199].name"), "{text}");
}

#[tokio::test]
async fn an_ordinary_error_is_whole() {
    let fixture = Fixture::start(eset_protect::Wire::Rest).await;
    fixture.emulator.faults().push_for("ListTasks", Fault::code(Code::NotFound));
    let mut grpc = DeviceTasksClient::connect(fixture.bridge.endpoint()).await.unwrap();
    let status = grpc.list_tasks(ListTasksRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(!status.message().contains("[cut]") && !status.details().is_empty());
}

#[tokio::test]
async fn a_header_of_the_upstream_does_not_fail_a_successful_call() {
    let fixture = Fixture::start(eset_protect::Wire::Rest).await;
    let value = |size| HeaderValue::try_from("x".repeat(size)).unwrap();
    let with_headers = |status| {
        let fault = Fault::http(status, "application/json", "{}");
        ["x-a", "x-b", "x-c"]
            .into_iter()
            .fold(fault, |fault, name| fault.header(name.parse().unwrap(), value(3_500)))
            .header("x-large".parse().unwrap(), value(5_000))
            .header("x-kept".parse().unwrap(), value(10))
    };
    fixture.emulator.faults().push_for("ListTasks", with_headers(StatusCode::OK));
    let headers = grpc(&fixture.bridge.endpoint()).await;
    assert!(!headers.contains_key("grpc-status"), "{headers:?}");
    assert!(size(&headers) <= 8 * 1024 && !headers.contains_key("x-large"));
    assert_eq!(headers["x-kept"].len(), 10);
    assert_eq!(headers.values().filter(|value| value.len() == 3_500).count(), 2);

    // Node.js takes 16 KiB over HTTP/1, and Python 100 headers.
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        let fault = (0..80).fold(with_headers(status), |fault, number| {
            fault.header(format!("x-{number}").parse().unwrap(), value(1))
        });
        fixture.emulator.faults().push_for("ListTasks", fault);
        let request = Request::get(format!("{}/v1/device_tasks", fixture.bridge.endpoint()));
        let answer = send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(answer.status(), status);
        let headers = answer.headers();
        assert!(size(headers) <= 10 * 1024 && headers.len() < 80, "{headers:?}");
        assert!(headers.contains_key("x-0") && !headers.contains_key("x-large"), "{headers:?}");
    }
}
