//! Pauses between two logins.

use std::sync::Arc;
use std::time::Duration;

use eset_protect::auth::{Credentials, TokenCache};
use eset_protect::{Client, Wire};
use tokio::time::{Instant, advance};

use super::{HOUR, SECOND, callers, error, script};

/// Each failure happens in another call, and all of them wait for the next try.
#[tokio::test(start_paused = true)]
async fn a_login_that_is_down_rests_longer_and_longer_between_two_tries() {
    let script = script(Duration::from_millis(1), HOUR);
    script.then((0..9).map(|_| Some(tonic::Status::unavailable("down").into())));
    let cache = Arc::new(TokenCache::new(script.clone()));
    for (tries, ceiling) in
        [0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000].into_iter().enumerate()
    {
        let before = Instant::now();
        let results = callers(&cache, 100).await;
        assert!(results.iter().all(|result| result.as_ref().unwrap_err().is_unavailable()));
        assert_eq!(script.count(), tries + 1, "a hundred calls are one try");
        // The test's clock has millisecond resolution.
        let rest = before.elapsed().as_millis();
        assert!((ceiling / 2..=ceiling + 4).contains(&rest), "{rest} of {ceiling} ms");
    }
    assert!(callers(&cache, 100).await.iter().all(Result::is_ok));
    assert_eq!(script.count(), 10);
}

/// The call would get the same error, so it does not wait.
#[tokio::test(start_paused = true)]
async fn a_login_that_fails_for_good_is_not_asked_by_every_call() {
    let script = script(Duration::ZERO, HOUR);
    script.then((0..100).map(|_| Some(tonic::Status::internal("broken").into())));
    let cache = Arc::new(TokenCache::new(script.clone()));
    for _ in 0..1000 {
        let before = Instant::now();
        assert!(cache.token().await.is_err());
        assert_eq!(before.elapsed(), Duration::ZERO);
        advance(Duration::from_millis(100)).await;
    }
    assert!((10..=30).contains(&script.count()), "{} in 100 seconds", script.count());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_asks_for_time_gets_it() {
    for (wait, waits) in [("7", true), ("60", false), ("99999999999999999999", false)] {
        let script = script(Duration::ZERO, HOUR);
        let mut status = tonic::Status::unavailable("maintenance");
        status.metadata_mut().insert("retry-after", wait.parse().unwrap());
        script.then([Some(status.into())]);
        let cache = TokenCache::new(script.clone());
        assert!(cache.token().await.is_err());
        let before = Instant::now();
        // A call that would have to wait too long fails.
        assert_eq!(cache.token().await.is_ok(), waits, "{wait}");
        assert_eq!(script.count(), if waits { 2 } else { 1 });
        assert_eq!(before.elapsed(), if waits { 7 * SECOND } else { Duration::ZERO });
        advance(if wait == "60" { 60 * SECOND } else { HOUR }).await;
        cache.token().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_one_request_in_ten_seconds() {
    let refusal = error("401 Unauthorized").await;
    let script = script(Duration::ZERO, HOUR);
    script.then([Some(refusal)]);
    let cache = Arc::new(TokenCache::new(script.clone()));
    for second in 0..10 {
        for result in callers(&cache, 100).await {
            let error = result.unwrap_err();
            assert!(error.is_unauthenticated() && error.http_status() == Some(401), "{error:?}");
            assert_eq!(error.message(), "wrong password");
        }
        assert_eq!(script.count(), 1, "after {second} s");
        advance(SECOND).await;
    }
    cache.token().await.unwrap();
    assert_eq!(script.count(), 2);
}

/// Each of the calls may be tried five times, and all of them want the same token.
#[tokio::test(start_paused = true)]
async fn a_login_that_is_down_is_not_stormed_by_the_retries_of_a_thousand_calls() {
    for takes in [Duration::from_millis(1), SECOND] {
        let script = script(takes, HOUR);
        script.then((0..10_000).map(|_| Some(tonic::Status::unavailable("down").into())));
        let client = Client::builder("http://127.0.0.1:1")
            .wire(Wire::Rest)
            .credentials(TokenCache::new(script.clone()))
            .connect_lazy()
            .unwrap();
        let calls: Vec<_> = (0..1000)
            .map(|_| tokio::spawn(client.device_tasks().get_task("t").into_future()))
            .collect();
        for call in calls {
            let error = call.await.unwrap().unwrap_err();
            assert!(error.is_unavailable() && error.attempts() == 0, "{error:?}");
            assert!(!error.may_have_executed(), "{error:?}");
        }
        // The budget allows fifty retries for all of them together.
        assert!((2..=5).contains(&script.count()), "{} logins", script.count());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_every_token_makes_no_storm() {
    let script = script(Duration::ZERO, HOUR);
    let cache = TokenCache::new(script.clone());
    for (logins, ceiling) in
        [0, 0, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000].into_iter().enumerate()
    {
        let before = Instant::now();
        let token = cache.token().await.unwrap();
        let rest = before.elapsed().as_millis();
        assert!((ceiling / 2..=ceiling + 2).contains(&rest), "{rest} of {ceiling} ms");
        assert_eq!(script.count(), logins + 1);
        cache.invalidate(&token).await;
    }
    // A token that was valid for long resets the count.
    let token = cache.token().await.unwrap();
    advance(10 * SECOND).await;
    cache.invalidate(&token).await;
    let before = Instant::now();
    cache.token().await.unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO);
}
