//! The token endpoints, and calls that need tokens.

use std::time::Duration;

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::Auth;
use serde_json::json;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::raw::{grpc, whole};
use crate::rest_front::fixture::*;

const PASSWORD: &str = "grant_type=password&username=api&password=api&refresh_token=";

async fn locked() -> Fixture {
    fixture_with(|builder| builder.auth(Auth::new())).await
}

async fn status(fixture: &Fixture, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    fixture.http.get_with("/v1/device_tasks", &headers).await.status.as_u16()
}

async fn grpc_code(fixture: &Fixture, token: &str) -> Code {
    let mut request = Request::new(ListTasksRequest::default());
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    match fixture.grpc().await.list_tasks(request).await {
        Ok(_) => Code::Ok,
        Err(status) => status.code(),
    }
}

#[tokio::test]
async fn a_token_of_either_login_opens_both_fronts_until_it_expires() {
    let fixture = locked().await;
    let cloud = fixture.http.form("/oauth/token", PASSWORD).await.json();
    assert_eq!((&cloud["token_type"], &cloud["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let login = json!({"username": "api", "password": "api", "grant_type": 0});
    let on_prem = fixture.http.post("/GetTokens", &login).await.json();
    assert_eq!(on_prem["expiresIn"], 3600);
    for token in [&cloud["access_token"], &on_prem["accessToken"]] {
        let token = token.as_str().unwrap();
        assert_eq!(
            (status(&fixture, token).await, grpc_code(&fixture, token).await),
            (200, Code::Ok)
        );
    }
    fixture.clock.advance(Duration::from_secs(3599));
    let token = cloud["access_token"].as_str().unwrap();
    assert_eq!(status(&fixture, token).await, 200);
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&fixture, token).await, 401);
    assert_eq!(grpc_code(&fixture, token).await, Code::Unauthenticated);
}

#[tokio::test]
async fn without_a_token_calls_are_refused_and_health_is_not() {
    let fixture = locked().await;
    let answer = fixture.http.get("/v1/device_tasks").await;
    assert!(answer.error(401).contains("authorization"));
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert_eq!(answer.header("request-id").len(), 36);
    for value in ["Basic x", "Bearer", "Bearer wrong", "wrong"] {
        fixture.http.get_with("/v2/policies", &[("authorization", value)]).await.error(401);
    }
    let reply = fixture.grpc().await.list_tasks(ListTasksRequest::default()).await;
    assert_eq!(reply.unwrap_err().code(), Code::Unauthenticated);
    let channel =
        Channel::from_shared(fixture.running.endpoint()).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(fixture.http.get("/").await.status, 200);
    // What does not exist is no secret.
    fixture.http.get("/none").await.error(404);
    let unknown = grpc(&fixture.running, "/no.Such/Call", &[], whole("")).await;
    unknown.message_of(Code::Unimplemented);
}

#[tokio::test]
async fn a_refresh_gives_two_new_tokens_and_works_once() {
    let fixture = locked().await;
    let first = fixture.http.form("/oauth/token", PASSWORD).await.json();
    let refresh = format!(
        "grant_type=refresh_token&refresh_token={}",
        first["refresh_token"].as_str().unwrap()
    );
    let second = fixture.http.form("/oauth/token", &refresh).await.json();
    assert_ne!(first["access_token"], second["access_token"]);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(status(&fixture, second["access_token"].as_str().unwrap()).await, 200);
    fixture.http.form("/oauth/token", &refresh).await.error(400);
}

#[tokio::test]
async fn a_login_that_is_wrong_is_refused_with_reasons() {
    let fixture = locked().await;
    for (form, error) in [
        ("grant_type=password&username=api&password=no", "invalid_grant"),
        ("grant_type=refresh_token&refresh_token=no", "invalid_grant"),
        ("grant_type=client_credentials", "unsupported_grant_type"),
        ("username=api&password=api", "invalid_request"),
        ("grant_type=%zz", "invalid_request"),
        ("grant_type=password&username=api&password=api&password=x", "invalid_request"),
        ("grant_type=password&username=api&password=api&x=1&x=1", "invalid_request"),
    ] {
        let answer = fixture.http.form("/oauth/token", form).await;
        answer.error(400);
        assert_eq!(answer.json()["error"], error);
    }
    fixture.http.form("/oauth/token", &"a&".repeat(40_000)).await.error(413);
    fixture.http.post("/oauth/token", &json!({})).await.error(415);
    fixture.http.form("/GetTokens", PASSWORD).await.error(415);
    let wrong = json!({"username": "api", "password": "no", "grant_type": 0});
    fixture.http.post("/GetTokens", &wrong).await.error(401);
    for body in
        [json!([]), json!({}), json!({"username": "api", "password": "api", "grant_type": 1})]
    {
        fixture.http.post("/GetTokens", &body).await.error(400);
    }
}

#[tokio::test]
async fn logins_are_read_as_clients_write_them() {
    let auth = Auth::new().account("a b@c", "p+&=ü").expires_in(Duration::from_secs(1799));
    assert!(!format!("{auth:?}").contains("a b@c") && !format!("{auth:?}").contains("p+"));
    let fixture = fixture_with(|builder| builder.auth(auth)).await;
    let form = "grant_type=password&username=a+b%40c&password=p%2B%26%3D%C3%BC";
    assert_eq!(fixture.http.form("/oauth/token", form).await.json()["expires_in"], 1799);
    let (username, password) = ("a b@c", "p+&=ü");
    for body in [
        json!({"username": username, "password": password}),
        json!({"username": username, "password": password, "grant_type": "password"}),
        json!({"username": username, "password": password, "grantType": "PASSWORD",
               "is_domain_user": false}),
    ] {
        assert_eq!(fixture.http.post("/GetTokens", &body).await.json()["expiresIn"], 1799);
    }
}

#[tokio::test]
async fn without_accounts_anyone_may_log_in() {
    let fixture = fixture().await;
    let form = "grant_type=password&username=x&password=y";
    let token = fixture.http.form("/oauth/token", form).await.json();
    assert_eq!(status(&fixture, token["access_token"].as_str().unwrap()).await, 200);
    assert_eq!(status(&fixture, "wrong").await, 200);
}

#[tokio::test]
async fn tokens_can_be_revoked() {
    let fixture = locked().await;
    let token = fixture.http.form("/oauth/token", PASSWORD).await.json();
    fixture.running.revoke_access_tokens();
    assert_eq!(status(&fixture, token["access_token"].as_str().unwrap()).await, 401);
}
