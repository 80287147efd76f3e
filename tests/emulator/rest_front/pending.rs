//! Responses that take longer than the gateway waits.

use std::time::Duration;

use eset_protect::emulator::Fault;
use http::Method;

use crate::rest_front::fixture::*;

const PATH: &str = "/v1/device_tasks?pageSize=3";

fn response_id(answer: &Answer) -> String {
    assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0));
    assert!(!answer.header("request-id").is_empty());
    answer.header("response-id").to_owned()
}

async fn poll(fixture: &Fixture, id: &str) -> Answer {
    fixture.http.get_with(PATH, &[("response-id", id)]).await
}

#[tokio::test]
async fn a_pending_answer_is_fetched_once() {
    let fixture = fixture().await;
    fixture.running.faults().push(Fault::pending(2));
    let id = response_id(&fixture.http.get(PATH).await);
    assert_eq!(response_id(&poll(&fixture, &id).await), id);
    assert_eq!(poll(&fixture, &id).await.status, 200);
    poll(&fixture, &id).await.error(404);
    poll(&fixture, "unknown").await.error(404);
}

#[tokio::test]
async fn only_the_identical_request_fetches_it() {
    let fixture = fixture().await;
    fixture.running.faults().push(Fault::pending(1));
    let id = response_id(&fixture.http.get(PATH).await);
    let headers = [("response-id", id.as_str())];
    fixture.http.get_with("/v1/device_tasks", &headers).await.error(404);
    fixture.http.send(Method::DELETE, "/v1/device_tasks/x", &headers, "").await.error(404);
    let other = [("response-id", id.as_str()), ("authorization", "Bearer another")];
    assert_eq!(fixture.http.get_with(PATH, &other).await.status, 200);
}

#[tokio::test]
async fn a_call_that_is_held_is_pending_and_runs_once() {
    let fixture = fixture_with(|builder| builder.pending_after(Duration::from_millis(1))).await;
    let (fault, mut held) = Fault::hold();
    fixture.running.faults().push_for("CreateTask", fault);
    let body = task("slow");
    let id = response_id(&fixture.http.post("/v1/device_tasks", &body).await);
    held.arrived(1).await;
    held.release();
    let headers = [("content-type", "application/json"), ("response-id", id.as_str())];
    loop {
        let path = "/v1/device_tasks";
        let answer = fixture.http.send(Method::POST, path, &headers, body.to_string()).await;
        if answer.status != 202 {
            assert_eq!(answer.json()["task"]["displayName"], "slow");
            break;
        }
        assert_eq!(response_id(&answer), id);
    }
    let mut list = fixture.http.get("/v1/device_tasks").await;
    while list.status == 202 {
        let id = response_id(&list);
        list = fixture.http.get_with("/v1/device_tasks", &[("response-id", id.as_str())]).await;
    }
    assert_eq!(list.json()["tasks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_ready_in_time_is_504() {
    let fixture = fixture_with(|builder| builder.pending_after(Duration::ZERO)).await;
    let (fault, _held) = Fault::hold();
    fixture.running.faults().push(fault);
    let id = response_id(&fixture.http.get(PATH).await);
    fixture.clock.advance(Duration::from_secs(119));
    assert_eq!(response_id(&poll(&fixture, &id).await), id);
    fixture.clock.advance(Duration::from_secs(1));
    poll(&fixture, &id).await.error(504);
    poll(&fixture, &id).await.error(404);
}

#[tokio::test]
async fn what_nobody_fetches_is_dropped() {
    let fixture = fixture().await;
    fixture.running.faults().push(Fault::pending(1));
    fixture.running.faults().push(Fault::pending(1));
    let first = response_id(&fixture.http.get(PATH).await);
    fixture.clock.advance(Duration::from_secs(1));
    let second = response_id(&fixture.http.get(PATH).await);
    fixture.clock.advance(Duration::from_secs(599));
    poll(&fixture, &first).await.error(404);
    assert_eq!(poll(&fixture, &second).await.status, 200);
}

#[tokio::test]
async fn logins_can_be_pending_and_their_number_is_bounded() {
    let fixture = fixture().await;
    for _ in 0..256 {
        fixture.running.faults().push_for("/oauth/token", Fault::pending(1));
    }
    let form = "grant_type=password&username=x&password=y";
    for _ in 0..256 {
        response_id(&fixture.http.form("/oauth/token", form).await);
    }
    fixture.running.faults().push(Fault::pending(1));
    fixture.http.get(PATH).await.error(503);
    fixture.clock.advance(Duration::from_secs(600));
    fixture.running.faults().push(Fault::pending(1));
    response_id(&fixture.http.get(PATH).await);
}
