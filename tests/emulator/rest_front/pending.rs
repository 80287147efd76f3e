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

async fn poll(world: &World, id: &str) -> Answer {
    world.http.get_with(PATH, &[("response-id", id)]).await
}

#[tokio::test]
async fn a_pending_answer_is_fetched_once() {
    let world = world().await;
    world.running.faults().push(Fault::pending(2));
    let id = response_id(&world.http.get(PATH).await);
    assert_eq!(response_id(&poll(&world, &id).await), id);
    assert_eq!(poll(&world, &id).await.status, 200);
    poll(&world, &id).await.error(404);
    poll(&world, "unknown").await.error(404);
}

#[tokio::test]
async fn only_the_identical_request_fetches_it() {
    let world = world().await;
    world.running.faults().push(Fault::pending(1));
    let id = response_id(&world.http.get(PATH).await);
    let headers = [("response-id", id.as_str())];
    world.http.get_with("/v1/device_tasks", &headers).await.error(404);
    world.http.send(Method::DELETE, "/v1/device_tasks/x", &headers, "").await.error(404);
    let other = [("response-id", id.as_str()), ("authorization", "Bearer another")];
    assert_eq!(world.http.get_with(PATH, &other).await.status, 200);
}

#[tokio::test]
async fn a_call_that_is_held_is_pending_and_runs_once() {
    let world = world_with(|builder| builder.pending_after(Duration::from_millis(1))).await;
    let (fault, mut held) = Fault::hold();
    world.running.faults().push_for("CreateTask", fault);
    let body = task("slow");
    let id = response_id(&world.http.post("/v1/device_tasks", &body).await);
    held.arrived(1).await;
    held.release();
    let headers = [("content-type", "application/json"), ("response-id", id.as_str())];
    loop {
        let path = "/v1/device_tasks";
        let answer = world.http.send(Method::POST, path, &headers, body.to_string()).await;
        if answer.status != 202 {
            assert_eq!(answer.json()["task"]["displayName"], "slow");
            break;
        }
        assert_eq!(response_id(&answer), id);
    }
    let mut list = world.http.get("/v1/device_tasks").await;
    while list.status == 202 {
        let id = response_id(&list);
        list = world.http.get_with("/v1/device_tasks", &[("response-id", id.as_str())]).await;
    }
    assert_eq!(list.json()["tasks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_ready_in_time_is_504() {
    let world = world_with(|builder| builder.pending_after(Duration::ZERO)).await;
    let (fault, _held) = Fault::hold();
    world.running.faults().push(fault);
    let id = response_id(&world.http.get(PATH).await);
    world.clock.advance(Duration::from_secs(119));
    assert_eq!(response_id(&poll(&world, &id).await), id);
    world.clock.advance(Duration::from_secs(1));
    poll(&world, &id).await.error(504);
    poll(&world, &id).await.error(404);
}

#[tokio::test]
async fn what_nobody_fetches_is_dropped() {
    let world = world().await;
    world.running.faults().push(Fault::pending(1));
    world.running.faults().push(Fault::pending(1));
    let first = response_id(&world.http.get(PATH).await);
    world.clock.advance(Duration::from_secs(1));
    let second = response_id(&world.http.get(PATH).await);
    world.clock.advance(Duration::from_secs(599));
    poll(&world, &first).await.error(404);
    assert_eq!(poll(&world, &second).await.status, 200);
}

#[tokio::test]
async fn logins_can_be_pending_and_their_number_is_bounded() {
    let world = world().await;
    for _ in 0..256 {
        world.running.faults().push_for("/oauth/token", Fault::pending(1));
    }
    let form = "grant_type=password&username=x&password=y";
    for _ in 0..256 {
        response_id(&world.http.form("/oauth/token", form).await);
    }
    world.running.faults().push(Fault::pending(1));
    world.http.get(PATH).await.error(503);
    world.clock.advance(Duration::from_secs(600));
    world.running.faults().push(Fault::pending(1));
    response_id(&world.http.get(PATH).await);
}
