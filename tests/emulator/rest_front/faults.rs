//! Faults that a test or person requests.

use std::time::Duration;

use eset_protect::automation::v1::{GetTaskRequest, ListTasksRequest};
use eset_protect::emulator::Fault;
use eset_protect::proto::google::rpc::{RetryInfo, Status as Rich};
use eset_protect::transcode::http_from_code;
use eset_protect::wkt::Any;
use http::{HeaderValue, StatusCode, header};
use prost::Message;
use serde_json::json;
use tonic::{Code, Request};

use crate::rest_front::fixture::*;

const LIST: &str = "/v1/device_tasks";

#[tokio::test]
async fn an_identifier_asks_for_any_code_on_both_fronts() {
    let fixture = fixture().await;
    let mut grpc = fixture.grpc().await;
    for number in 1..=16 {
        let code = Code::from(number);
        for path in ["/v1/device_tasks", "/v2/policies", "/v2/policy-assignments"] {
            let answer = fixture.http.get(&format!("{path}/code-{number}")).await;
            answer.error(http_from_code(code));
            let details = answer.json()["details"].clone();
            assert_eq!(details[0]["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
        }
        let request = GetTaskRequest { task_uuid: format!("code-{number}") };
        let status = grpc.get_task(request).await.unwrap_err();
        assert_eq!(status.code(), code);
        assert!(!Rich::decode(status.details()).unwrap().details.is_empty());
    }
    let assignment =
        json!({"assignment": {"policyUuid": "code-10", "target": {"deviceUuid": "d"}}});
    fixture.http.post("/v2/policy-assignments", &assignment).await.error(409);
    fixture.http.get("/v2/policy-assignments?policyUuids=code-7").await.error(403);
    for none in ["code-0", "code-17", "code-x"] {
        fixture.http.get(&format!("{LIST}/{none}")).await.error(404);
    }
}

#[tokio::test]
async fn faults_are_taken_in_order_by_name_and_once() {
    let fixture = fixture().await;
    let faults = fixture.running.faults();
    faults.push_for("GetTask", Fault::code(Code::Aborted));
    faults.push(Fault::code(Code::DataLoss));
    faults.push(Fault::status(Code::Unavailable, "later", vec![]));
    fixture.http.get("/nowhere").await.error(404);
    fixture.http.get(LIST).await.error(500);
    assert_eq!(faults.waiting(), 2);
    fixture.http.get("/v1/device_tasks/x").await.error(409);
    let status = fixture.grpc().await.list_tasks(ListTasksRequest::default()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "later"));
    assert_eq!(fixture.http.get(LIST).await.status, 200);
    faults.push(Fault::code(Code::Internal));
    faults.clear();
    assert_eq!(fixture.http.get(LIST).await.status, 200);
}

#[tokio::test]
async fn a_detail_of_an_unknown_type_does_not_break_the_answer() {
    let fixture = fixture().await;
    let detail = Any { type_url: "x/nobody.Knows".to_owned(), value: vec![255, 0].into() };
    fixture.running.faults().push(Fault::status(Code::NotFound, "gone", vec![detail]));
    let answer = fixture.http.get(LIST).await;
    assert_eq!(answer.error(404), "gone");
    assert_eq!(answer.json()["details"], json!([{"@type": "x/nobody.Knows", "@value": "/wA="}]));
}

#[tokio::test]
async fn http_answers_of_any_kind_come_on_both_fronts() {
    let fixture = fixture().await;
    let faults = fixture.running.faults();
    for (content_type, body) in [
        ("text/html", &b"<html>Request Rejected"[..]),
        ("", b""),
        ("application/json", b"{\"code\":5,"),
        ("application/json", b"\xff\xfe"),
        ("application/json", b"{\"code\":503,\"message\":\"m\"}"),
    ] {
        let fault = Fault::http(StatusCode::SERVICE_UNAVAILABLE, content_type, body);
        faults.push(fault.clone().header(header::RETRY_AFTER, HeaderValue::from_static("7")));
        let answer = fixture.http.get(LIST).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (503, body));
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.header("retry-after"), "7");
        faults.push(fault);
        assert!(fixture.grpc().await.list_tasks(ListTasksRequest::default()).await.is_err());
    }
    faults.push(Fault::redirect(HeaderValue::from_static("http://192.0.2.1/")));
    let answer = fixture.http.get(LIST).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (307, "http://192.0.2.1/"));
}

#[tokio::test]
async fn the_rate_limit_says_when_or_does_not() {
    let fixture = fixture().await;
    let faults = fixture.running.faults();
    faults.push(Fault::too_many_requests(None));
    let answer = fixture.http.get(LIST).await;
    answer.error(429);
    assert_eq!(answer.header("retry-after"), "");
    faults.push(Fault::too_many_requests(Some(Duration::from_secs(3))));
    assert_eq!(fixture.http.get(LIST).await.header("retry-after"), "3");
    faults.push(Fault::too_many_requests(Some(Duration::from_secs(3))));
    let status = fixture.grpc().await.list_tasks(ListTasksRequest::default()).await.unwrap_err();
    let details = Rich::decode(status.details()).unwrap().details;
    let retry: RetryInfo = details.iter().find_map(|any| any.unpack().ok()).unwrap();
    assert_eq!(retry.retry_delay.unwrap().seconds, 3);
}

#[tokio::test]
async fn connections_break_where_they_are_told_to() {
    let fixture = fixture().await;
    let h2 = Http::new(&fixture.running.endpoint(), true);
    for http in [&fixture.http, &h2] {
        for (fault, place) in [
            (Fault::break_before_headers(), "before headers"),
            (Fault::break_after_headers(), "after headers"),
            (Fault::break_mid_body(), "after headers"),
        ] {
            fixture.running.faults().push_for("ListTasks", fault.clone());
            let broken = http.try_send(http::Method::GET, LIST, &[], "").await;
            assert_eq!(broken.unwrap_err(), place);
            fixture.running.faults().push_for("ListTasks", fault);
            let mut grpc = fixture.grpc().await;
            assert!(grpc.list_tasks(ListTasksRequest::default()).await.is_err());
        }
        assert_eq!(http.get(LIST).await.status, 200);
    }
}

#[tokio::test]
async fn a_lost_answer_is_of_a_call_that_ran() {
    let fixture = fixture().await;
    let create = |name| {
        fixture.http.try_send(
            http::Method::POST,
            LIST,
            &[("content-type", "application/json")],
            task(name).to_string(),
        )
    };
    let faults = fixture.running.faults();
    faults.push(Fault::break_before_headers());
    create("never").await.unwrap_err();
    faults.push(Fault::break_before_headers().after_the_call());
    create("lost").await.unwrap_err();
    faults.push(Fault::code(Code::Unavailable).after_the_call());
    create("told otherwise").await.unwrap().error(503);
    let list = fixture.http.get(LIST).await.json();
    let names: Vec<_> =
        list["tasks"].as_array().unwrap().iter().map(|t| &t["displayName"]).collect();
    assert_eq!(names, ["lost", "told otherwise"]);
}

#[tokio::test]
async fn a_held_call_waits_on_both_fronts() {
    let fixture = fixture().await;
    let (fault, mut held) = Fault::hold();
    fixture.running.faults().push(fault.clone());
    fixture.running.faults().push(fault);
    let http = fixture.http.clone();
    let rest = tokio::spawn(async move { http.get(LIST).await.status });
    let mut grpc = fixture.grpc().await;
    let grpc = tokio::spawn(async move { grpc.list_tasks(ListTasksRequest::default()).await });
    held.arrived(2).await;
    assert!(!rest.is_finished() && !grpc.is_finished());
    held.release();
    assert_eq!(rest.await.unwrap(), 200);
    grpc.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_person_asks_by_header() {
    let fixture = fixture().await;
    let ask = async |spec: &str| fixture.http.get_with(LIST, &[("x-emulator-fault", spec)]).await;
    assert_eq!(ask("code=UNAVAILABLE; message=soon; retry-after=2").await.error(503), "soon");
    assert_eq!(ask("code=14; retry-after=2").await.header("retry-after"), "2");
    ask("code=not_found").await.error(404);
    ask("http=502").await.error(502);
    assert!(ask("http=403; body=html").await.body.starts_with(b"<html>"));
    assert!(ask("http=500; body=empty").await.body.is_empty());
    assert_eq!(ask("http=200; body=truncated").await.body, r#"{"code":5,"message":"#);
    assert!(std::str::from_utf8(&ask("http=500; body=binary").await.body).is_err());
    assert_eq!(ask("rate-limit=5").await.header("retry-after"), "5");
    assert_eq!(ask("redirect=/x").await.header("location"), "/x");
    assert_eq!(ask("delay=1").await.status, 200);
    assert_eq!(ask("pending=1").await.status, 202);
    for wrong in
        ["", "x", "code=", "code=17", "http=99", "http=200; body=x", "drop=x", "code=5; x=1"]
    {
        assert!(ask(wrong).await.error(400).starts_with("x-emulator-fault: "), "{wrong}");
    }
    let spec = [("x-emulator-fault", "drop=mid-body")];
    assert!(fixture.http.try_send(http::Method::GET, LIST, &spec, "").await.is_err());

    let mut request = Request::new(ListTasksRequest::default());
    request.metadata_mut().insert("x-emulator-fault", "code=9".parse().unwrap());
    let status = fixture.grpc().await.list_tasks(request).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
}
