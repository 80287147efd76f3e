//! Deadlines that other clients set with `grpc-timeout`.

use std::time::Duration;

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::{ConnectionLimits, Fault};
use prost::Message;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::fixture::*;
use crate::raw::{endless, framed, grpc, send, whole};

const LIST: &str = "/eset.dotnod.automation.v1.DeviceTasks/ListTasks";

#[tokio::test]
async fn a_passed_deadline_is_deadline_exceeded_and_504() {
    let fixture = fixture().await;
    for timeout in ["20m", "1n", "0S"] {
        let headers = [("grpc-timeout", timeout)];
        let (fault, held) = Fault::hold();
        fixture.running.faults().push(fault);
        let body = whole(framed(&ListTasksRequest::default()));
        let reply = grpc(&fixture.running, LIST, &headers, body).await;
        assert!(reply.message_of(Code::DeadlineExceeded).contains("grpc-timeout"), "{reply:?}");
        assert_eq!(reply.http, 200);
        fixture.running.faults().clear();
        drop(held);
        for is_http2 in [false, true] {
            let (fault, held) = Fault::hold();
            fixture.running.faults().push(fault);
            let path = "/v1/device_tasks";
            let answer = send(&fixture.running, is_http2, "GET", path, &headers, whole("")).await;
            assert_eq!(answer.http, 504, "{answer:?}");
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(body["code"], 504);
            assert!(body["message"].as_str().unwrap().contains("grpc-timeout"), "{body}");
            fixture.running.faults().clear();
            drop(held);
        }
    }
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline_too() {
    let fixture = fixture().await;
    let headers = [("grpc-timeout", "30m")];
    let body = whole(framed(&HealthCheckRequest::default()));
    let watched = grpc(&fixture.running, "/grpc.health.v1.Health/Watch", &headers, body).await;
    let first = HealthCheckResponse::decode(&watched.body[5..]).unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    watched.message_of(Code::DeadlineExceeded);
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        let reflected = grpc(&fixture.running, &path, &headers, endless(Vec::new())).await;
        reflected.message_of(Code::DeadlineExceeded);
    }
}

#[tokio::test]
async fn a_deadline_that_cannot_be_read_is_refused() {
    let fixture = fixture().await;
    for wrong in ["", "S", "10", "10s", "10 S", "-1S", "+1S", "123456789S", "1.5S", "SS", "1é"] {
        let headers = [("grpc-timeout", wrong)];
        let body = whole(framed(&ListTasksRequest::default()));
        let message =
            grpc(&fixture.running, LIST, &headers, body).await.message_of(Code::InvalidArgument);
        assert!(message.contains("grpc-timeout") && message.contains("30S"), "{message}");
        let path = "/v1/device_tasks";
        let answer = send(&fixture.running, false, "GET", path, &headers, whole("")).await;
        assert_eq!(answer.http, 400, "{answer:?}");
    }
    for right in ["99999999H", "90M", "10S", "99999999m", "99999999u"] {
        let headers = [("grpc-timeout", right)];
        let body = whole(framed(&ListTasksRequest::default()));
        grpc(&fixture.running, LIST, &headers, body).await.message_of(Code::Ok);
        let path = "/v1/device_tasks";
        let answer = send(&fixture.running, false, "GET", path, &headers, whole("")).await;
        assert_eq!(answer.http, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_message_that_does_not_arrive_holds_nothing_up() {
    let mut limits = ConnectionLimits::default();
    limits.body_time = Duration::from_millis(20);
    let fixture = fixture_with(|builder| builder.connection_limits(limits)).await;
    for part in [vec![], vec![0, 0, 0, 0, 9, 1]] {
        let reply = grpc(&fixture.running, LIST, &[], endless(part.clone())).await;
        let message = reply.message_of(Code::DeadlineExceeded);
        assert!(message.contains("did not arrive within 20ms"), "{message}");
        let headers = [("content-type", "application/json")];
        let path = "/v1/device_tasks";
        let answer = send(&fixture.running, true, "POST", path, &headers, endless(part)).await;
        assert_eq!(answer.http, 408, "{answer:?}");
    }
}
