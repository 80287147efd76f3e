//! Pending responses: 202 and `response-id` (FACTS.md#pending-responses).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use eset_protect::auth::{AccessToken, BoxFuture, Credentials};
use eset_protect::{Error, ErrorKind};
use tonic::Code;

use crate::rest::calls::{PAUSE, TASK, builder, client, create, get};
use crate::support::scripted::{Answer, Scripted, answer, json, ok, pending};

#[tokio::test]
async fn the_identical_request_is_sent_until_there_is_an_answer() {
    let server = Scripted::start([pending("one"), pending("one"), pending("two"), ok(TASK)]).await;
    assert_eq!(create(&client(&server)).await.unwrap().uuid, "t-1");

    let seen = server.seen();
    let ids: Vec<_> = seen.iter().map(|request| request.header("response-id")).collect();
    assert_eq!(ids, [None, Some("one"), Some("one"), Some("two")]);
    assert_eq!(seen[0].line(), "POST /v1/device_tasks");
    assert!(seen[0].text().starts_with(r#"{"task":{"#), "{}", seen[0].text());
    for request in &seen[1..] {
        assert_eq!(request.without(&["response-id"]), seen[0].without(&[]));
    }
}

#[tokio::test]
async fn an_id_does_not_outlive_its_call() {
    let stale = json("404 Not Found", "null");
    for last in [ok(TASK), json("500 Internal Server Error", ""), stale, Answer::Close(vec![])] {
        let server = Scripted::start([pending("one"), last, ok(TASK)]).await;
        let client = client(&server);
        let _ = create(&client).await;
        get(&client).await.unwrap();
        let seen = server.seen();
        assert_eq!(seen[1].header("response-id"), Some("one"));
        assert_eq!(seen[2].header("response-id"), None);
    }
}

#[tokio::test]
async fn the_limit_ends_it() {
    let server = Scripted::start((0..1000).map(|_| pending("one"))).await;
    let client = builder(&server).pending_limit(Duration::from_millis(20)).connect_lazy();
    let error = create(&client.unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Deadline, Code::DeadlineExceeded));
    assert!(error.may_have_executed(), "{error:?}");
    assert!(error.message().contains("still pending after 20ms"), "{error}");
    assert!((2..=21).contains(&server.seen().len()));
}

#[tokio::test]
async fn the_deadline_ends_it() {
    let server = Scripted::start((0..1000).map(|_| pending("one"))).await;
    let call = client(&server).device_tasks().get_task("t-1").timeout(Duration::from_millis(30));
    let error = call.await.unwrap_err();
    assert!(error.is_deadline_exceeded() && error.may_have_executed(), "{error:?}");
    assert!(server.seen().len() > 1);
}

#[tokio::test]
async fn durations_without_bound_do_not_overflow() {
    for (first, most) in [(Duration::MAX, Duration::MAX), (Duration::from_millis(1), Duration::MAX)]
    {
        let server = Scripted::start([pending("one"), pending("one"), ok(TASK)]).await;
        let client = builder(&server)
            .pending_pause(first, most)
            .pending_limit(Duration::MAX)
            .connect_timeout(Duration::MAX)
            .connect_lazy()
            .unwrap();
        let call = client.device_tasks().get_task("t-1").timeout(Duration::from_millis(100));
        let result = call.await;
        assert_eq!(result.is_err(), first == Duration::MAX, "{result:?}");
    }
    let server = Scripted::start([ok(TASK)]).await;
    client(&server).device_tasks().get_task("t-1").timeout(Duration::MAX).await.unwrap();
}

#[tokio::test]
async fn a_stale_id_is_an_error_that_says_so() {
    let body = r#"{"code":5,"message":"no such reply"}"#;
    for (status, body) in [("404 Not Found", body), ("404 Not Found", ""), ("410 Gone", "null")] {
        let last =
            answer(status, &[("content-type", "application/json"), ("request-id", "r-9")], body);
        let server = Scripted::start([pending("one"), last]).await;
        let error = create(&client(&server)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
        assert!(error.may_have_executed() && !error.is_not_found(), "{error:?}");
        assert!(error.message().contains("no longer has the response"), "{error}");
        assert_eq!(error.request_id(), Some("r-9"));
        assert_eq!(server.seen().len(), 2, "nothing is begun again");
    }
}

#[tokio::test]
async fn a_pending_answer_without_one_name_is_an_error() {
    let headers: [&[(&str, &str)]; 3] =
        [&[], &[("response-id", "")], &[("response-id", "one"), ("response-id", "two")]];
    for headers in headers {
        let headers = [headers, &[("request-id", "r-9")]].concat();
        let server = Scripted::start([answer("202 Accepted", &headers, "")]).await;
        let error = create(&client(&server)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
        assert!(error.message().contains("response-id") && error.may_have_executed(), "{error}");
        assert_eq!((error.http_status(), error.request_id()), (Some(202), Some("r-9")));
        assert_eq!(server.seen().len(), 1);
    }
    let twice = answer("202 Accepted", &[("response-id", "one"), ("response-id", "one")], "");
    let server = Scripted::start([twice, ok(TASK)]).await;
    create(&client(&server)).await.unwrap();
}

#[tokio::test]
async fn the_body_of_a_pending_answer_does_not_matter() {
    for (headers, body) in [
        (("content-encoding", "gzip"), "not gzip"),
        (("content-type", "text/html"), "<html>"),
        (("content-encoding", "br"), ""),
    ] {
        let first = answer("202 Accepted", &[("response-id", "one"), headers], body);
        let server = Scripted::start([first, ok(TASK)]).await;
        create(&client(&server)).await.unwrap();
    }
}

/// Returns `token-0`, and the next one after each refusal.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl Credentials for Counting {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        let number = self.0.load(Ordering::SeqCst);
        Box::pin(async move { Ok(AccessToken::new(format!("token-{number}"))) })
    }

    fn invalidate(&self, _: &AccessToken) -> BoxFuture<'_, ()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {})
    }
}

#[tokio::test]
async fn a_token_that_expires_meanwhile_does_not_begin_the_call_again() {
    let expired = json("401 Unauthorized", "");
    let server = Scripted::start([pending("one"), expired, pending("two"), ok(TASK)]).await;
    let client = builder(&server).credentials(Counting::default()).connect_lazy().unwrap();
    create(&client).await.unwrap();

    let seen = server.seen();
    let ids: Vec<_> = seen.iter().map(|request| request.header("response-id")).collect();
    assert_eq!(ids, [None, Some("one"), Some("one"), Some("two")]);
    let tokens: Vec<_> = seen.iter().map(|request| request.header("authorization")).collect();
    let (old, new) = (Some("Bearer token-0"), Some("Bearer token-1"));
    assert_eq!(tokens, [old, old, new, new]);
    let bare: Vec<_> =
        seen.iter().map(|request| request.without(&["response-id", "authorization"])).collect();
    assert!(bare.iter().all(|request| *request == bare[0]), "{bare:?}");
}

#[tokio::test]
async fn a_refused_question_for_the_answer_does_not_say_that_nothing_ran() {
    for status in ["401 Unauthorized", "403 Forbidden", "429 Too Many Requests"] {
        let server = Scripted::start([pending("one"), json(status, ""), ok(TASK)]).await;
        let error = create(&client(&server)).await.unwrap_err();
        assert!(error.may_have_executed(), "{error:?}");
        assert_eq!(server.seen().len(), 2, "nothing is begun again");
    }
    // Any response counts.
    let server = Scripted::start([pending("one"), json("400 Bad Request", "")]).await;
    assert!(!create(&client(&server)).await.unwrap_err().may_have_executed());
}

#[tokio::test]
async fn a_server_that_went_away_meanwhile_may_have_run_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        crate::support::scripted::read_request(&mut stream, &mut Vec::new()).await.unwrap();
        let head = crate::support::scripted::head(
            "202 Accepted",
            &[("response-id", "one"), ("connection", "close")],
            Some(0),
        );
        tokio::io::AsyncWriteExt::write_all(&mut stream, &head).await.unwrap();
    });
    let client = eset_protect::Client::builder(&endpoint)
        .wire(eset_protect::Wire::Rest)
        .pending_pause(crate::rest::calls::PAUSE, crate::rest::calls::PAUSE)
        .retry(eset_protect::RetryPolicy::none())
        .connect_lazy()
        .unwrap();
    let error = create(&client).await.unwrap_err();
    serving.await.unwrap();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    assert!(error.may_have_executed(), "{error:?}");
}

/// Returns a token, then this error, then tokens again.
#[derive(Debug)]
struct Interrupted(std::sync::Mutex<Vec<Option<Error>>>);

impl Credentials for Interrupted {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        let next = self.0.lock().unwrap().pop().flatten();
        Box::pin(async move { next.map_or_else(|| Ok(AccessToken::new("token")), Err) })
    }

    fn invalidate(&self, _: &AccessToken) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

#[tokio::test]
async fn a_login_that_fails_meanwhile_does_not_begin_the_call_again() {
    let unavailable = json("503 Service Unavailable", "");
    for broken in [Answer::Close(vec![]), unavailable, json("401 Unauthorized", "")] {
        let failed = tonic::Status::unavailable("the login is down").into();
        let server = Scripted::start([pending("one"), broken, ok(TASK)]).await;
        let credentials = Interrupted(vec![Some(failed), None].into());
        let backoff = eset_protect::Backoff::new(PAUSE, PAUSE);
        let client = builder(&server)
            .retry(eset_protect::RetryPolicy::default().backoff(backoff))
            .credentials(credentials)
            .connect_lazy()
            .unwrap();
        create(&client).await.unwrap();
        let seen = server.seen();
        let ids: Vec<_> = seen.iter().map(|request| request.header("response-id")).collect();
        assert_eq!(ids, [None, Some("one"), Some("one")]);
    }
}
