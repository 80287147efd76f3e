//! The crate's own client against the REST front, end to end.

use std::time::Duration;

use eset_protect::automation::v1::{
    Action, DeviceTask, DeviceTaskTargets, ListTasksRequest, Trigger,
};
use eset_protect::emulator::{Auth, Fault, Front};
use eset_protect::policy_management::v2::ListPoliciesRequest;
use eset_protect::{Client, ClientBuilder, RetryPolicy, Wire};
use http::StatusCode;
use tonic::Code;

use crate::rest_front::fixture::*;

async fn locked() -> Fixture {
    fixture_with(|builder| builder.auth(Auth::new())).await
}

/// Without retries and limits: these tests are about single responses.
fn rest(fixture: &Fixture) -> ClientBuilder {
    Client::builder(&fixture.running.endpoint())
        .wire(Wire::Rest)
        .retry(RetryPolicy::none())
        .no_rate_limiter()
}

async fn logged_in(fixture: &Fixture) -> Client {
    rest(fixture)
        .login("api", "api")
        .pending_pause(Duration::from_millis(1), Duration::from_millis(1))
        .connect()
        .await
        .unwrap()
}

fn new_task() -> DeviceTask {
    DeviceTask {
        display_name: "t".to_owned(),
        action: Some(Action { name: "StopManaging".to_owned(), params: None }),
        targets: Some(DeviceTaskTargets::devices(["d"])),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    }
}

#[tokio::test]
async fn both_logins_work_end_to_end() {
    let fixture = locked().await;
    let on_prem = Client::on_prem(&fixture.running.endpoint()).login("api", "api");
    let clients = [logged_in(&fixture).await, on_prem.connect().await.unwrap()];
    for client in clients {
        let tasks = client.device_tasks();
        let uuid = tasks.create_task(new_task()).await.unwrap().uuid;
        let response = tasks.get_task(uuid.as_str()).send().await.unwrap();
        assert!(response.metadata().contains_key("request-id"));
        assert_eq!(response.into_inner().task.unwrap().display_name, "t");
        tasks.delete_task(uuid.as_str()).await.unwrap();
        let error = tasks.get_task(uuid).await.unwrap_err();
        assert!(error.is_not_found() && error.request_id().is_some());
        assert_eq!(error.details().len(), 1);
    }
    assert_eq!((fixture.count_path("/oauth/token"), fixture.count_path("/GetTokens")), (1, 1));
}

#[tokio::test]
async fn a_login_opens_grpc_too() {
    let fixture = locked().await;
    let builder = Client::builder(&fixture.running.endpoint());
    let error = builder.clone().connect().await.unwrap().policies();
    let error = error.list_policies(ListPoliciesRequest::default()).await.unwrap_err();
    assert!(error.is_unauthenticated() && error.request_id().is_some());
    let client = builder.login("api", "api").connect().await.unwrap();
    client.policies().list_policies(ListPoliciesRequest::default()).await.unwrap();
    fixture.running.revoke_access_tokens();
    client.policies().list_policies(ListPoliciesRequest::default()).await.unwrap();
    assert_eq!(fixture.count_path("/oauth/token"), 2);
    assert!(
        fixture.running.log().iter().filter(|a| a.rpc.is_some()).all(|a| a.front == Front::Grpc)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_expiry_make_one_token_request() {
    let fixture = locked().await;
    let client = logged_in(&fixture).await;
    for round in 1..=2 {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..1000 {
            let client = client.clone();
            calls.spawn(async move {
                client.policies().list_policies(ListPoliciesRequest::default()).await
            });
        }
        while let Some(call) = calls.join_next().await {
            call.unwrap().unwrap();
        }
        assert_eq!(fixture.count_path("/oauth/token"), round);
        // The service forgets its tokens while the client considers them valid.
        fixture.clock.advance(Duration::from_secs(3600));
    }
}

#[tokio::test]
async fn a_401_is_healed_by_one_forced_refresh() {
    let fixture = locked().await;
    let client = logged_in(&fixture).await;
    client.policies().list_policies(ListPoliciesRequest::default()).await.unwrap();
    fixture.running.revoke_access_tokens();
    client.policies().list_policies(ListPoliciesRequest::default()).await.unwrap();
    assert_eq!(fixture.count_path("/oauth/token"), 2);
    assert_eq!(fixture.count("ListPolicies"), 3);
}

#[tokio::test]
async fn a_service_that_refuses_every_token_gets_two_attempts_and_no_storm() {
    let fixture = locked().await;
    let client = logged_in(&fixture).await;
    fixture.running.faults().push(Fault::code(Code::Unauthenticated));
    fixture.running.faults().push(Fault::code(Code::Unauthenticated));
    let error = client.policies().list_policies(ListPoliciesRequest::default()).await.unwrap_err();
    assert!(error.is_unauthenticated());
    assert_eq!(fixture.count("ListPolicies"), 2);
}

#[tokio::test]
async fn wrong_credentials_give_a_clear_error_without_a_storm() {
    let fixture = locked().await;
    let endpoint = fixture.running.endpoint();
    for (builder, path) in
        [(rest(&fixture), "/oauth/token"), (Client::on_prem(&endpoint), "/GetTokens")]
    {
        let client = builder.login("api", "wrong-secret").connect().await.unwrap();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let client = client.clone();
            calls.spawn(async move {
                client.policies().list_policies(ListPoliciesRequest::default()).await
            });
        }
        while let Some(call) = calls.join_next().await {
            let error = call.unwrap().unwrap_err();
            assert!(error.is_unauthenticated() && !error.may_have_executed(), "{error:?}");
            assert!(error.to_string().contains("not valid"), "{error}");
            assert!(!format!("{error:?}").contains("wrong-secret"));
        }
        assert_eq!((fixture.count_path(path), fixture.count("ListPolicies")), (1, 0));
    }
}

#[tokio::test]
async fn a_pending_answer_is_waited_for() {
    let fixture = locked().await;
    let client = logged_in(&fixture).await;
    fixture.running.faults().push_for("/oauth/token", Fault::pending(1));
    fixture.running.faults().push(Fault::pending(3));
    let task = client.device_tasks().create_task(new_task()).await.unwrap();
    assert_eq!(task.version_id, 1);
    assert_eq!((fixture.count_path("/oauth/token"), fixture.count("CreateTask")), (2, 4));
    let tasks = client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap().tasks;
    assert_eq!(tasks.len(), 1);
}

#[tokio::test]
async fn faults_of_a_gateway_are_told_as_what_they_are() {
    let fixture = fixture().await;
    let client = rest(&fixture).connect().await.unwrap();
    let faults = fixture.running.faults();
    let call =
        async || client.policies().list_policies(ListPoliciesRequest::default()).await.unwrap_err();
    faults.push(Fault::http(StatusCode::FORBIDDEN, "text/html", "<b>Request Rejected</b>"));
    let error = call().await;
    assert!(error.is_permission_denied() && error.to_string().contains("Request Rejected"));
    faults.push(Fault::http(StatusCode::OK, "text/html", "<b>hello</b>"));
    assert!(call().await.to_string().contains("text/html"));
    for fault in
        [Fault::break_before_headers(), Fault::break_after_headers(), Fault::break_mid_body()]
    {
        faults.push(fault);
        let error = call().await;
        assert!(error.is_unavailable() && error.may_have_executed(), "{error:?}");
    }
    faults.push(Fault::redirect(http::HeaderValue::from_static("http://192.0.2.1/")));
    assert!(call().await.to_string().contains("redirects are not followed"));
    for number in 1..=16 {
        faults.push(Fault::code(Code::from(number)));
        let error = call().await;
        assert!(!error.details().is_empty(), "{error:?}");
        assert!(error.request_id().is_some());
    }
}
