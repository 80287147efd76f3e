//! Unit tests of what no public method shows: the limiter's memory, and the turns that only a bridge gives its callers.
//! All else is in `tests/client/rate_limiter`.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Outcome, Permit, Priority, RateLimiter, SharedLimit};
use crate::error::Error;
use crate::timer::{BoxFuture, TokioTimer};

const SECOND: Duration = Duration::from_secs(1);
const ANSWERED: Outcome = Outcome::Answered;

/// Acquires a permit with hours to spare.
async fn turn(limiter: &RateLimiter) -> Permit {
    let deadline = Instant::now() + 36_000 * SECOND;
    limiter.acquire(Priority::New, None, &TokioTimer, deadline).await.expect("a turn")
}

/// The limiter's memory is bounded by the calls of one window, and by the limit.
#[tokio::test(start_paused = true)]
async fn memory_is_bounded() {
    let kept = |limiter: &RateLimiter| limiter.shared.state().arrivals.len();
    let large = RateLimiter::new(u32::MAX, SECOND);
    for round in 0..5 {
        for _ in 0..1000 {
            turn(&large).await.end(Instant::now(), ANSWERED);
        }
        assert_eq!(kept(&large), 1000, "round {round}");
        tokio::time::sleep(3 * SECOND).await;
    }
    let small = RateLimiter::new(7, Duration::from_millis(1));
    for _ in 0..1000 {
        drop(turn(&small).await);
        assert!(kept(&small) <= 7);
    }
}

/// Callers with many calls and with few get the same share: Jain's index of what they got is near 1.
#[tokio::test(start_paused = true)]
async fn callers_take_turns() {
    let limiter = RateLimiter::new(10, SECOND);
    // The first calls may use the whole burst.
    for _ in 0..10 {
        turn(&limiter).await.end(Instant::now(), ANSWERED);
    }
    let mut served = [0_u32; 8];
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut calls = JoinSet::new();
    for caller in 0..served.len() {
        // The first caller has 8 times as many calls as the last, and all of them come first.
        for _ in 0..(served.len() - caller) * 20 {
            let (limiter, log) = (limiter.clone(), log.clone());
            calls.spawn(async move {
                let (flow, end) = (caller.to_string(), Instant::now() + 10 * SECOND);
                let turn = limiter.acquire(Priority::New, Some(&flow), &TokioTimer, end).await;
                if let Ok(turn) = turn {
                    log.lock().unwrap().push(caller);
                    turn.end(Instant::now(), ANSWERED);
                }
            });
        }
    }
    calls.join_all().await;
    log.lock().unwrap().iter().for_each(|caller: &usize| served[*caller] += 1);
    let (sum, squares) = served
        .iter()
        .map(|n| f64::from(*n))
        .fold((0.0, 0.0), |(sum, squares), n| (sum + n, squares + n * n));
    let index = sum * sum / (8.0 * squares);
    assert!(index > 0.97 && sum >= 80.0, "{served:?}: {index}");
}

/// Calls that gave up count for nothing.
#[tokio::test(start_paused = true)]
async fn who_gave_up_waits_no_longer_than_others() {
    let limiter = RateLimiter::new(1, SECOND);
    turn(&limiter).await.end(Instant::now(), ANSWERED);
    let log = Arc::new(Mutex::new(Vec::new()));
    let call = |flow: &'static str| {
        let (limiter, log) = (limiter.clone(), log.clone());
        async move {
            let end = Instant::now() + 1000 * SECOND;
            if let Ok(turn) = limiter.acquire(Priority::New, Some(flow), &TokioTimer, end).await {
                log.lock().unwrap().push(flow);
                turn.end(Instant::now(), ANSWERED);
            }
        }
    };
    let mut given_up: JoinSet<_> = (0..50).map(|_| call("a")).collect();
    while limiter.waiting() < 50 {
        tokio::task::yield_now().await;
    }
    given_up.shutdown().await;
    let calls: JoinSet<_> = ["b", "b", "b", "a", "a", "a"].map(call).into_iter().collect();
    calls.join_all().await;
    assert_eq!(*log.lock().unwrap(), ["b", "a", "b", "a", "b", "a"]);
}

/// A limit of several processes, which has this many turns.
#[derive(Debug)]
struct Turns(Semaphore);

impl SharedLimit for Turns {
    fn take(&self, _: Duration, _: Duration) -> BoxFuture<'_, Option<Duration>> {
        Box::pin(async {
            self.0.acquire().await.ok()?.forget();
            Some(Duration::ZERO)
        })
    }

    #[cfg(feature = "serve")]
    fn alike(&self, _: &str) -> Arc<dyn SharedLimit> {
        Arc::new(Self(Semaphore::new(0)))
    }
}

/// Polls a future once.
async fn once<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// A call that nobody polls keeps the calls after it waiting for a moment only, whether it is the next one or asks the
/// limit that processes share.
#[tokio::test(start_paused = true)]
async fn who_is_not_polled_stops_nobody_at_a_shared_limit() {
    for is_asking in [false, true] {
        let turns = Arc::new(Turns(Semaphore::new(0)));
        let limiter = RateLimiter::new(10, SECOND).shared_with(turns.clone());
        let (mut first, mut second) = (Box::pin(turn(&limiter)), Box::pin(turn(&limiter)));
        assert!(once(&mut first).await.is_pending() && once(&mut second).await.is_pending());
        let begun = Instant::now();
        let end = begun + 60 * SECOND;
        let other = limiter.clone();
        let other = tokio::spawn(async move {
            other.acquire(Priority::New, None, &TokioTimer, end).await.map(drop)
        });
        while limiter.waiting() < 2 {
            tokio::task::yield_now().await;
        }
        turns.0.add_permits(2);
        // Only the other call is polled from here on.
        let asked = if is_asking { None } else { Some(first.await) };
        let result: Result<(), Error> = other.await.expect("no panic");
        assert!(result.is_ok() && begun.elapsed() < 2 * SECOND, "{result:?} {:?}", begun.elapsed());
        drop((asked, second));
    }
}
