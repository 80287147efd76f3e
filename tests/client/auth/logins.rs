//! The logins of the cloud and of On-Prem servers, against a scripted server.

use std::time::Duration;

use eset_protect::{Client, ClientBuilder, Error, ErrorKind, Region, RetryPolicy};
use tonic::Code;

use crate::auth::TASK;
use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::{Answer, Scripted, answer, json, ok, pending};

const PASSWORD: &str = "p&ss=w%rd +\"\u{e4}\\\r\n";
const USER: &str = "api user+1@eset.example";

/// Starts one server for the login and the calls.
async fn cloud(script: Vec<Answer>) -> (Client, Scripted) {
    let (client, server, _) = timed_cloud(script).await;
    (client, server)
}

/// Does the same, with the client's clock.
async fn timed_cloud(script: Vec<Answer>) -> (Client, Scripted, DrivenTimer) {
    let timer = DrivenTimer::new();
    let server = Scripted::start(script).await;
    let builder = builder(&server).timer(timer.clone()).retry(RetryPolicy::none());
    (builder.connect_lazy().unwrap(), server, timer)
}

fn builder(server: &Scripted) -> ClientBuilder {
    Client::cloud(Region::Eu)
        .host("automation", server.endpoint())
        .token_url(format!("{}/oauth/token", server.endpoint()))
        .login(USER, PASSWORD)
}

async fn on_prem(script: Vec<Answer>) -> (Client, Scripted) {
    let server = Scripted::start(script).await;
    let client = Client::on_prem(&server.endpoint())
        .login(USER, PASSWORD)
        .timer(DrivenTimer::new())
        .retry(RetryPolicy::none())
        .connect_lazy()
        .unwrap();
    (client, server)
}

async fn call(client: &Client) -> Result<(), Error> {
    client.device_tasks().get_task("t").await.map(drop)
}

fn unauthorized() -> Answer {
    json("401 Unauthorized", "")
}

#[tokio::test]
async fn the_cloud_takes_a_form() {
    let tokens = ok(
        r#"{"access_token":"a-1","refresh_token":"r-1","token_type":"Bearer","expires_in":3600}"#,
    );
    let (client, server) = cloud(vec![tokens, ok(TASK), ok(TASK)]).await;
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 3, "one login for two calls");
    assert_eq!(seen[0].line(), "POST /oauth/token");
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen[0].header("authorization"), None);
    assert_eq!(
        seen[0].text(),
        "grant_type=password&username=api%20user%2B1%40eset.example\
         &password=p%26ss%3Dw%25rd%20%2B%22%C3%A4%5C%0D%0A"
    );
    assert_eq!(seen[1].header("authorization"), Some("Bearer a-1"));
}

#[tokio::test]
async fn on_prem_takes_json() {
    let (client, server) = on_prem(vec![ok(r#"{"accessToken":"a-1"}"#), ok(TASK)]).await;
    call(&client).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].line(), "POST /GetTokens");
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&seen[0].body).unwrap();
    let expected = serde_json::json!({"username": USER, "password": PASSWORD, "grant_type": 0});
    assert_eq!(body, expected);
    assert_eq!(seen[1].header("authorization"), Some("Bearer a-1"));
}

#[tokio::test]
async fn who_asks_is_told_to_the_login_as_to_the_service() {
    for deployment in [true, false] {
        for integration in [None, Some("Acme SOAR 1.0")] {
            let server =
                Scripted::start([ok(r#"{"access_token":"a","refresh_token":"r"}"#), ok(TASK)])
                    .await;
            let builder = if deployment {
                Client::cloud(Region::Eu)
                    .host("automation", server.endpoint())
                    .token_url(format!("{}/oauth/token", server.endpoint()))
            } else {
                Client::on_prem(&server.endpoint())
            };
            let builder = builder.login(USER, PASSWORD);
            let builder = match integration {
                Some(name) => builder.integration(name).user_agent_suffix("acme/1"),
                None => builder,
            };
            call(&builder.connect_lazy().unwrap()).await.unwrap();
            let seen = server.seen();
            assert_eq!(seen.len(), 2);
            for seen in seen {
                let agent = concat!("eset-protect/", env!("CARGO_PKG_VERSION"));
                let suffix = integration.map_or("", |_| " acme/1");
                let agent = format!("{agent}{suffix}");
                assert_eq!(seen.header("user-agent"), Some(&*agent), "{}", seen.line());
                assert_eq!(seen.header("3rd-integration"), integration, "{}", seen.line());
            }
        }
    }
}

#[tokio::test]
async fn answers_are_read_with_tolerance() {
    for body in [
        r#"{"access_token":"a-1"}"#,
        r#"{"accessToken":"a-1"}"#,
        r#"{"accessToken":"a-1","access_token":"a-1","refreshToken":"r"}"#,
        r#"{"access_token":"","accessToken":"a-1"}"#,
        r#"{"access_token":"a-1","expires_in":"3600","refresh_token":null}"#,
        r#"{"access_token":"a-1","expiresIn":3600.5,"refresh_token":7,"new":{"x":[]}}"#,
        r#"{"access_token":"a-1","expires_in":null}"#,
        r#"{"access_token":"a-1","token_type":"bearer"}"#,
        r#"{"accessToken":"a-1","tokenType":"BEARER","token_type":0}"#,
        r#"{"access_token":"a-1","expires_in":-1}"#,
        r#"{"access_token":"a-1","expires_in":"soon"}"#,
        r#"{"access_token":"a-1","expires_in":1e300}"#,
        r#"{"access_token":"a-1","expires_in":18446744073709551615}"#,
        r#"{"access_token":"a-1","expires_in":1e400}"#,
        r#"{"access_token":"a-1","expires_in":"1e400","new":[1e400]}"#,
        r#"{"access_token":"a-1","user_name":"Ger\ud83d"}"#,
    ] {
        for deployment in [true, false] {
            // A login response without a media type is accepted.
            let script = vec![answer("200 OK", &[], body), ok(TASK), ok(TASK)];
            let (client, server) =
                if deployment { cloud(script).await } else { on_prem(script).await };
            call(&client).await.unwrap();
            call(&client).await.unwrap();
            assert_eq!(server.seen().len(), 3, "{body}");
            assert_eq!(server.seen()[1].header("authorization"), Some("Bearer a-1"), "{body}");
        }
    }
}

#[tokio::test]
async fn answers_without_a_token_are_errors_that_quote_nothing() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "<html>hunter2</html>",
        r#"{"access_token":"hunter2""#,
        r#"{"access_token":"","refresh_token":"hunter2"}"#,
        r#"{"access_token":["hunter2"]}"#,
        r#"{"token":"hunter2"}"#,
        r#"{"access_token":"hunter2","token_type":"mac"}"#,
    ] {
        for deployment in [true, false] {
            let script = vec![ok(body)];
            let (client, server) =
                if deployment { cloud(script).await } else { on_prem(script).await };
            let error = call(&client).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Transport, "{body}: {error:?}");
            assert!(error.message().starts_with("the login: "), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
            assert!(!error.may_have_executed(), "the call itself was not sent");
            assert_eq!(server.seen().len(), 1);
        }
    }
}

/// A login that gives such a token has failed; the next one may give another.
#[tokio::test]
async fn a_token_that_cannot_be_sent_is_no_token() {
    for token in ["a b", " a", "a\\n", "\u{e9}"] {
        let bad = ok(&format!(r#"{{"access_token":"{token}","expires_in":3600}}"#));
        let (client, server, timer) =
            timed_cloud(vec![bad, ok(r#"{"access_token":"a-1"}"#), ok(TASK)]).await;
        let error = call(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
        assert!(error.message().starts_with("the login: the access token"), "{error}");
        timer.advance(Duration::from_secs(10));
        call(&client).await.unwrap();
        assert_eq!(server.seen()[2].header("authorization"), Some("Bearer a-1"));
    }
}

#[tokio::test]
async fn refusals_and_failures_say_which_they_are() {
    let invalid = r#"{"error":"invalid_grant","error_description":"Bad credentials"}"#;
    let quoted = r#"{"error":"not p&ss=w%rd +\"\u00e4\\\r\n"}"#;
    for (status, body, code, message) in [
        ("400 Bad Request", invalid, Code::Unauthenticated, "was refused: Bad credentials"),
        ("400 Bad Request", r#"{"error":"invalid_grant"}"#, Code::Unauthenticated, "invalid_grant"),
        ("400 Bad Request", "", Code::Unauthenticated, "was refused: HTTP 400"),
        ("401 Unauthorized", "null", Code::Unauthenticated, "was refused: HTTP 401"),
        ("403 Forbidden", invalid, Code::Unauthenticated, "was refused: Bad credentials"),
        ("403 Forbidden", "{}", Code::Unauthenticated, "was refused: HTTP 403"),
        (
            "403 Forbidden",
            "<html>Request Rejected",
            Code::PermissionDenied,
            "in front of the login",
        ),
        ("403 Forbidden", "<html>Request Rejected", Code::PermissionDenied, "Request Rejected"),
        ("403 Forbidden", "", Code::PermissionDenied, "in front of the login"),
        ("403 Forbidden", r#"{"error":"\ud83d"}"#, Code::Unauthenticated, "was refused: \u{FFFD}"),
        ("200 OK", invalid, Code::Unauthenticated, "was refused: Bad credentials"),
        ("200 OK", quoted, Code::Unauthenticated, "was refused: not [redacted]"),
        ("200 OK", r#"{"code":16,"message":"m"}"#, Code::Unauthenticated, "was refused: m"),
        ("200 OK", r#"{"code":500,"message":"m"}"#, Code::Internal, "failed: m"),
        ("404 Not Found", "", Code::Unauthenticated, "was refused: HTTP 404"),
        ("415 Unsupported", "[]", Code::Unauthenticated, "was refused: HTTP 415"),
        ("429 Too Many", "", Code::ResourceExhausted, "failed: HTTP 429"),
        ("500 Error", r#"{"code":13,"message":"m"}"#, Code::Internal, "failed: m"),
        ("503 Maintenance", "<html>", Code::Unavailable, "failed: HTTP 503"),
        ("302 Found", "", Code::Unknown, "redirects are not followed"),
    ] {
        for deployment in [true, false] {
            let headers = [("request-id", "r-1"), ("location", "http://127.0.0.1:1/")];
            let script = vec![answer(status, &headers, body)];
            let (client, server) =
                if deployment { cloud(script).await } else { on_prem(script).await };
            let error = call(&client).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::Status, code), "{error:?}");
            assert!(error.message().contains(message), "{error}");
            assert_eq!(error.request_id(), Some("r-1"));
            assert_eq!(error.rpc().unwrap().method, "GetTask");
            assert!(!error.may_have_executed());
            assert!(!format!("{error} {error:?}").contains("p&ss"), "{error:?}");
            // Not every call logs in again: the next one waits or gets the same error.
            call(&client).await.unwrap_err();
            let once = !error.is_retryable();
            assert_eq!(server.seen().len(), if once { 1 } else { 2 }, "{status}");
        }
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_with_the_refresh_token() {
    let (client, server) = cloud(vec![
        ok(r#"{"access_token":"a-1","refresh_token":"r &1"}"#),
        unauthorized(),
        ok(r#"{"access_token":"a-2","refresh_token":"r-2"}"#),
        ok(TASK),
    ])
    .await;
    call(&client).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[2].text(), "grant_type=refresh_token&refresh_token=r%20%261");
    assert_eq!(seen[3].header("authorization"), Some("Bearer a-2"));
}

#[tokio::test]
async fn a_refused_refresh_falls_back_to_the_password() {
    for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found"] {
        let (client, server) = cloud(vec![
            ok(r#"{"access_token":"a-1","refresh_token":"r-1"}"#),
            unauthorized(),
            json(status, r#"{"error":"invalid_grant"}"#),
            ok(r#"{"access_token":"a-2","refresh_token":"r-2"}"#),
            ok(TASK),
        ])
        .await;
        call(&client).await.unwrap();
        assert!(server.seen()[3].text().starts_with("grant_type=password&"), "{status}");
    }
}

fn html(status: &str) -> Answer {
    answer(status, &[("content-type", "text/html")], "<html>Request Rejected")
}

/// A service that does not refresh, and whatever is in front of it, does not say so as RFC 6749 wants.
#[tokio::test]
async fn a_refresh_that_fails_in_any_lasting_way_falls_back_to_the_password() {
    for (number, failure) in [
        json("500 Error", "{}"),
        json("501 Not Implemented", ""),
        answer("302 Found", &[("location", "http://127.0.0.1:1/")], ""),
        ok(r#"{"error":"unsupported_grant_type"}"#),
        html("200 OK"),
        html("403 Forbidden"),
        json("499 Closed", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let (client, server) = cloud(vec![
            ok(r#"{"access_token":"a-1","refresh_token":"r-1"}"#),
            unauthorized(),
            failure,
            ok(r#"{"access_token":"a-2","refresh_token":"r-2"}"#),
            ok(TASK),
        ])
        .await;
        call(&client).await.unwrap();
        let seen = server.seen();
        assert!(seen[2].text().contains("refresh_token=r-1"), "{number}");
        assert!(seen[3].text().starts_with("grant_type=password&"), "{number}");
    }
}

#[tokio::test]
async fn a_refresh_that_fails_for_now_leaves_the_password_to_the_next_login() {
    for (number, failure) in [
        json("503 Service Unavailable", ""),
        html("502 Bad Gateway"),
        json("504 Gateway Timeout", ""),
        json("408 Request Timeout", ""),
        json("429 Too Many Requests", ""),
        Answer::Close(vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let (client, server, timer) = timed_cloud(vec![
            ok(r#"{"access_token":"a-1","refresh_token":"r-1"}"#),
            unauthorized(),
            failure,
            ok(r#"{"access_token":"a-2","refresh_token":"r-2"}"#),
            ok(TASK),
            unauthorized(),
            ok(r#"{"access_token":"a-3","refresh_token":"r-3"}"#),
            ok(TASK),
        ])
        .await;
        // The login is down, so the password does not help either.
        call(&client).await.unwrap_err();
        assert_eq!(server.seen().len(), 3, "{number}");
        timer.advance(Duration::from_secs(10));
        call(&client).await.unwrap();
        assert!(server.seen()[3].text().starts_with("grant_type=password&"), "{number}");
        // The next refresh token has not failed.
        call(&client).await.unwrap();
        assert!(server.seen()[6].text().contains("refresh_token=r-2"), "{number}");
    }
}

/// Nothing was sent without a token, so the call has its retries for that.
#[tokio::test]
async fn a_login_that_fails_for_now_is_tried_again_within_the_call() {
    for status in ["503 Down", "502 Bad Gateway", "504 Gateway Timeout", "408 Request Timeout"] {
        for refreshes in [true, false] {
            let before = [ok(r#"{"access_token":"a-1","refresh_token":"r-1"}"#), unauthorized()];
            let before = before.into_iter().filter(|_| refreshes);
            let after = [json(status, ""), ok(r#"{"access_token":"a-2"}"#), ok(TASK)];
            let server = Scripted::start(before.chain(after).collect::<Vec<_>>()).await;
            let client = builder(&server).timer(DrivenTimer::new()).connect_lazy().unwrap();
            call(&client).await.unwrap();
            let seen = server.seen();
            assert!(seen[seen.len() - 2].text().starts_with("grant_type=password&"), "{status}");
        }
    }
}

/// A service may keep the refresh token, although ESET's replaces it.
#[tokio::test]
async fn a_refresh_token_that_stays_is_used_again() {
    let tokens = |n| ok(&format!(r#"{{"access_token":"a-{n}","refresh_token":"r"}}"#));
    let mut script = vec![tokens(1)];
    script.extend((2..=4).flat_map(|n| [unauthorized(), tokens(n), ok(TASK)]));
    let (client, server) = cloud(script).await;
    for round in 0..3 {
        call(&client).await.unwrap();
        let text = server.seen()[2 + 3 * round].text();
        assert_eq!(text, "grant_type=refresh_token&refresh_token=r");
    }
}

/// The fallback adds one request to the first failed login, and none to those after it.
#[tokio::test]
async fn a_login_that_is_broken_gets_no_more_than_the_cache_allows() {
    let mut script = vec![ok(r#"{"access_token":"a-1","refresh_token":"r-1"}"#), unauthorized()];
    script.extend(vec![json("500 Error", "{}"); 60]);
    let (client, server, timer) = timed_cloud(script).await;
    for second in 0..100 {
        call(&client).await.unwrap_err();
        let most = 4 + second / 5 + 5;
        assert!(server.seen().len() <= most, "{} after {second} s", server.seen().len());
        timer.advance(Duration::from_secs(1));
    }
    let refreshes = server.seen().iter().filter(|seen| seen.text().contains("r-1")).count();
    assert_eq!(refreshes, 1);
}

#[tokio::test]
async fn on_prem_logs_in_again() {
    let (client, server) = on_prem(vec![
        ok(r#"{"accessToken":"a-1","refreshToken":"r-1"}"#),
        unauthorized(),
        ok(r#"{"accessToken":"a-2"}"#),
        ok(TASK),
    ])
    .await;
    call(&client).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[2].without(&[]), seen[0].without(&[]));
    assert_eq!(seen[3].header("authorization"), Some("Bearer a-2"));
}

#[tokio::test]
async fn a_login_may_be_pending_too() {
    let tokens = ok(r#"{"access_token":"a-1"}"#);
    let (client, server) = cloud(vec![pending("one"), pending("one"), tokens, ok(TASK)]).await;
    call(&client).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[2].header("response-id"), Some("one"));
    assert_eq!(seen[2].without(&["response-id"]), seen[0].without(&[]));
    assert_eq!(seen[3].header("response-id"), None);
}

#[tokio::test]
async fn an_unreadable_response_is_said_to_be_that_of_the_login() {
    let packed = [("content-type", "application/json"), ("content-encoding", "br")];
    let (client, _server) = cloud(vec![answer("200 OK", &packed, "x")]).await;
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.message(), "the login: the response has a content-encoding not asked for");
}

#[tokio::test]
async fn tokens_may_begin_with_a_byte_order_mark() {
    let tokens = ok("\u{FEFF}{\"access_token\":\"a\"}");
    let (client, server) = cloud(vec![tokens, ok(TASK)]).await;
    call(&client).await.unwrap();
    assert_eq!(server.seen()[1].header("authorization"), Some("Bearer a"));
}
