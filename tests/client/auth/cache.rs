//! The token cache, with its own clock.

mod pauses;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use eset_protect::auth::{
    AccessToken, BoxFuture, Credentials, StaticToken, TokenCache, TokenProvider, Tokens,
};
use eset_protect::{Client, Error, ErrorKind, RetryPolicy, Wire};
use secrecy::ExposeSecret;
use tokio::time::{Instant, advance, sleep};

use crate::auth::TASK;
use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::{Scripted, json, ok};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Returns `access-1` and `refresh-1`, then the next numbers; fails where the script says so.
#[derive(Clone, Debug)]
struct Script {
    fetches: Arc<AtomicUsize>,
    /// The refresh tokens that were passed in.
    shown: Arc<Mutex<Vec<Option<String>>>>,
    failures: Arc<Mutex<VecDeque<Option<Error>>>>,
    takes: Duration,
    expires_in: Duration,
}

fn script(takes: Duration, expires_in: Duration) -> Script {
    Script {
        fetches: Arc::default(),
        shown: Arc::default(),
        failures: Arc::default(),
        takes,
        expires_in,
    }
}

impl Script {
    fn count(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    fn shown(&self) -> Vec<Option<String>> {
        self.shown.lock().unwrap().clone()
    }

    fn then(&self, outcomes: impl IntoIterator<Item = Option<Error>>) {
        self.failures.lock().unwrap().extend(outcomes);
    }
}

impl TokenProvider for Script {
    fn fetch(&self, previous: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>> {
        Box::pin(async move {
            let number = self.fetches.fetch_add(1, Ordering::SeqCst) + 1;
            let refresh = previous.and_then(|tokens| tokens.refresh);
            let refresh = refresh.map(|refresh| refresh.expose_secret().to_owned());
            self.shown.lock().unwrap().push(refresh);
            sleep(self.takes).await;
            if let Some(error) = self.failures.lock().unwrap().pop_front().flatten() {
                return Err(error);
            }
            let tokens = Tokens::new(AccessToken::new(format!("access-{number}")), self.expires_in);
            Ok(tokens.refresh(format!("refresh-{number}")))
        })
    }
}

/// Returns a realistic error: the status of a call that a server refuses.
async fn error(status: &'static str) -> Error {
    let server = Scripted::start([json(status, r#"{"message":"wrong password"}"#)]).await;
    call(&server).await.unwrap_err()
}

async fn call(server: &Scripted) -> Result<(), Error> {
    let client = Client::builder(&server.endpoint()).wire(Wire::Rest).retry(RetryPolicy::none());
    client.connect_lazy().unwrap().device_tasks().get_task("t").await.map(drop)
}

/// Returns the number of a token. Tokens are never shown, so a server must report which one it got.
async fn number(cache: Arc<TokenCache<Script>>) -> Result<String, Error> {
    let server = Scripted::start([ok(TASK)]).await;
    let client = Client::builder(&server.endpoint())
        .wire(Wire::Rest)
        .credentials(cache)
        .connect_lazy()
        .unwrap();
    client.device_tasks().get_task("t").await?;
    let seen = server.seen();
    Ok(seen[0].header("authorization").unwrap().replace("Bearer access-", ""))
}

async fn callers(cache: &Arc<TokenCache<Script>>, count: usize) -> Vec<Result<AccessToken, Error>> {
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.token().await })
        })
        .collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.unwrap());
    }
    results
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_make_one_fetch() {
    for expires_in in [HOUR, Duration::ZERO] {
        let script = script(SECOND, expires_in);
        let cache = Arc::new(TokenCache::new(script.clone()));
        for round in 1..=3 {
            assert!(callers(&cache, 1000).await.iter().all(Result::is_ok));
            assert_eq!(script.count(), round, "a life of {expires_in:?}");
            advance(expires_in).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_share_one_failure() {
    let failure = error("503 Service Unavailable").await;
    let script = script(SECOND, HOUR);
    script.then([Some(failure)]);
    let cache = Arc::new(TokenCache::new(script.clone()));
    let results = callers(&cache, 1000).await;
    assert!(results.iter().all(|result| result.as_ref().unwrap_err().is_unavailable()));
    assert_eq!(script.count(), 1);
    // After an unreachable login, the next call tries again after a pause.
    let failed = Instant::now();
    cache.token().await.unwrap();
    assert_eq!(script.count(), 2);
    assert!((125..=250 + 1000).contains(&failed.elapsed().as_millis()), "{:?}", failed.elapsed());
}

#[tokio::test]
async fn a_cache_goes_by_the_clock_that_it_is_given() {
    let timer = DrivenTimer::new();
    let script = script(Duration::ZERO, HOUR);
    script.then([Some(tonic::Status::unavailable("down").into())]);
    let cache = TokenCache::with_timer(script.clone(), timer.clone());
    assert!(cache.token().await.is_err());
    cache.token().await.unwrap();
    let waits = timer.waits();
    assert_eq!(waits.len(), 1, "it rested by that clock: {waits:?}");
    cache.token().await.unwrap();
    assert_eq!(script.count(), 2);
    timer.advance(HOUR);
    cache.token().await.unwrap();
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_ahead_of_its_expiry_and_both_rotate() {
    // (lifetime, how long it is fresh)
    for (life, fresh) in [(3600, 3540), (1799, 1739), (600, 540), (100, 90), (10, 9)] {
        let script = script(Duration::ZERO, Duration::from_secs(life));
        let cache = TokenCache::new(script.clone());
        cache.token().await.unwrap();
        advance(Duration::from_secs(fresh) - Duration::from_millis(1)).await;
        cache.token().await.unwrap();
        assert_eq!(script.count(), 1, "a life of {life} s");
        advance(Duration::from_millis(1)).await;
        cache.token().await.unwrap();
        assert_eq!(script.count(), 2, "a life of {life} s");
        advance(Duration::from_secs(life)).await;
        cache.token().await.unwrap();
        let shown = [None, Some("refresh-1".to_owned()), Some("refresh-2".to_owned())];
        assert_eq!(script.shown(), shown);
    }
}

#[tokio::test(start_paused = true)]
async fn while_one_renews_the_others_go_on() {
    let script = script(5 * SECOND, HOUR);
    let cache = Arc::new(TokenCache::new(script.clone()));
    cache.token().await.unwrap();
    advance(HOUR - 30 * SECOND).await;
    let renewing = tokio::spawn({
        let cache = cache.clone();
        async move { cache.token().await }
    });
    tokio::task::yield_now().await;
    assert_eq!(script.count(), 2);
    let before = Instant::now();
    callers(&cache, 100).await;
    assert_eq!(before.elapsed(), Duration::ZERO, "nobody waits for a token that is still good");
    renewing.await.unwrap().unwrap();
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_fails_costs_nothing_while_the_token_is_good() {
    let failure = error("503 Service Unavailable").await;
    let script = script(Duration::ZERO, HOUR);
    script.then([None, Some(failure)]);
    let cache = TokenCache::new(script.clone());
    cache.token().await.unwrap();
    advance(HOUR - 30 * SECOND).await;
    for _ in 0..100 {
        cache.token().await.unwrap();
    }
    assert_eq!(script.count(), 2, "it is not tried by each call");
    advance(10 * SECOND).await;
    cache.token().await.unwrap();
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_is_cancelled_leaves_the_cache_usable() {
    let script = script(5 * SECOND, HOUR);
    let cache = Arc::new(TokenCache::new(script.clone()));
    tokio::time::timeout(SECOND, cache.token()).await.unwrap_err();
    let waiting = tokio::spawn({
        let cache = cache.clone();
        async move { cache.token().await }
    });
    tokio::time::timeout(SECOND, cache.token()).await.unwrap_err();
    waiting.await.unwrap().unwrap();
    assert_eq!(script.count(), 2, "the one that waited went on with what another had begun");
    cache.token().await.unwrap();
    assert_eq!(script.count(), 2);
}

/// As for a call of a bulk whose caller makes another call between two responses.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_its_caller_does_not_poll_keeps_nobody_waiting() {
    let script = script(SECOND, HOUR);
    let cache = Arc::new(TokenCache::new(script.clone()));
    let mut resting = cache.token();
    let is_pending = poll_fn(|cx| Poll::Ready(resting.as_mut().poll(cx).is_pending())).await;
    assert!(is_pending);
    tokio::time::timeout(2 * SECOND, cache.token()).await.expect("no wait").unwrap();
    resting.await.unwrap();
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_by_all() {
    let script = script(SECOND, HOUR);
    let cache = Arc::new(TokenCache::new(script.clone()));
    let token = cache.token().await.unwrap();
    for _ in 0..1000 {
        cache.invalidate(&token).await;
    }
    callers(&cache, 1000).await;
    assert_eq!(script.count(), 2);
    // The old token is already gone, so this says nothing about the new one.
    cache.invalidate(&token).await;
    cache.token().await.unwrap();
    assert_eq!(script.count(), 2);
    assert_eq!(script.shown()[1].as_deref(), Some("refresh-1"));
}

#[tokio::test(start_paused = true)]
async fn a_life_without_bound_does_not_overflow() {
    let script = script(Duration::ZERO, Duration::MAX);
    let cache = TokenCache::new(script.clone());
    cache.token().await.unwrap();
    advance(HOUR * 24 * 365).await;
    cache.token().await.unwrap();
    assert_eq!(script.count(), 1);
}

#[tokio::test]
async fn a_call_is_made_once_more_with_another_token() {
    let refused = || json("401 Unauthorized", r#"{"code":16,"message":"expired"}"#);
    let bearers = |server: &Scripted| -> Vec<String> {
        let seen = server.seen();
        seen.iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect()
    };
    let server = Scripted::start([refused(), ok(TASK)]).await;
    let script_ = script(Duration::ZERO, HOUR);
    let builder = Client::builder(&server.endpoint()).wire(Wire::Rest);
    let client = builder.credentials(TokenCache::new(script_.clone())).connect_lazy().unwrap();
    client.device_tasks().get_task("t").await.unwrap();
    assert_eq!(bearers(&server), ["Bearer access-1", "Bearer access-2"]);

    let server = Scripted::start((0..9).map(|_| refused())).await;
    let builder = Client::builder(&server.endpoint()).wire(Wire::Rest);
    let client = builder.credentials(TokenCache::new(script_.clone())).connect_lazy().unwrap();
    let error = client.device_tasks().get_task("t").await.unwrap_err();
    assert!(error.is_unauthenticated() && error.message() == "expired", "{error:?}");
    assert_eq!(bearers(&server).len(), 2, "never more");
    // A new call gets a new chance: the login of another program may have replaced ours.
    client.device_tasks().get_task("t").await.unwrap_err();
    assert_eq!(bearers(&server)[2..], ["Bearer access-4", "Bearer access-5"]);

    let server = Scripted::start((0..9).map(|_| refused())).await;
    let builder = Client::builder(&server.endpoint()).wire(Wire::Rest);
    let client = builder.credentials(StaticToken::new("one")).connect_lazy().unwrap();
    client.device_tasks().get_task("t").await.unwrap_err();
    assert_eq!(bearers(&server), ["Bearer one"], "there is no other token");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_token_is_not_sent() {
    let failure = error("500 Internal Server Error").await;
    let script = script(Duration::ZERO, HOUR);
    script.then([Some(failure)]);
    let cache = Arc::new(TokenCache::new(script));
    let error = number(cache.clone()).await.unwrap_err();
    assert!(!error.may_have_executed(), "{error:?}");
    advance(SECOND).await;
    assert_eq!(number(cache).await.unwrap(), "2");
}

#[test]
fn secrets_are_never_shown() {
    let tokens = Tokens::new(AccessToken::new("hunter2"), HOUR).refresh("hunter2");
    let static_token = StaticToken::new("hunter2");
    let builder = Client::builder("https://eset.example")
        .login("api-user", "hunter2")
        .credentials(static_token.clone());
    for shown in [
        format!("{tokens:?} {tokens:#?}"),
        format!("{:?}", tokens.access),
        format!("{static_token:?}"),
        format!("{builder:?} {builder:#?}"),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn nor_by_a_cache_that_holds_them_or_an_error() {
    let cache = Arc::new(TokenCache::new(script(Duration::ZERO, HOUR)));
    cache.token().await.unwrap();
    let shown = format!("{cache:?}");
    assert!(!shown.contains("access-1") && !shown.contains("refresh-1"), "{shown}");
    let client = Client::builder("https://eset.example")
        .wire(Wire::Rest)
        .credentials(StaticToken::new("hunter2\n"));
    let error = client.clone().connect_lazy().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error} {error:?} {client:?}").contains("hunter2"), "{error:?}");
}
