//! Unit tests, since permits are not public. All time is tokio's paused clock.

mod adapting;
mod deadlines;
mod limits;
mod queueing;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Outcome, Permit, Priority, RateLimiter};
use crate::error::Error;
use crate::timer::TokioTimer;

const SECOND: Duration = Duration::from_secs(1);
const ANSWERED: Outcome = Outcome::Answered;
const REFUSED: Outcome = Outcome::Refused { retry_after: None };

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Acquires a permit with hours to spare.
async fn turn(limiter: &RateLimiter) -> Permit {
    turn_within(limiter, 36_000 * SECOND).await.expect("a turn")
}

async fn turn_within(limiter: &RateLimiter, time: Duration) -> Result<Permit, Error> {
    limiter.acquire(Priority::New, None, &TokioTimer, Instant::now() + time).await
}

/// Makes a call that is answered after this latency.
async fn call(limiter: &RateLimiter, latency: Duration, outcome: Outcome) {
    let turn = turn(limiter).await;
    tokio::time::sleep(latency).await;
    turn.end(Instant::now(), outcome);
}

/// Events with their times.
#[derive(Clone)]
struct Log<T> {
    started: Instant,
    entries: Arc<Mutex<Vec<(Duration, T)>>>,
}

impl<T: Clone> Log<T> {
    fn new() -> Self {
        Self { started: Instant::now(), entries: Arc::default() }
    }

    fn add(&self, entry: T) {
        self.entries.lock().unwrap().push((self.started.elapsed(), entry));
    }

    fn entries(&self) -> Vec<(Duration, T)> {
        self.entries.lock().unwrap().clone()
    }

    fn what(&self) -> Vec<T> {
        self.entries().into_iter().map(|(_, entry)| entry).collect()
    }

    fn times(&self) -> Vec<Duration> {
        self.entries().into_iter().map(|(time, _)| time).collect()
    }
}

/// Starts calls that are answered at once, and logs the number of each when it gets its permit.
fn spawn_calls(
    limiter: &RateLimiter,
    log: &Log<usize>,
    numbers: std::ops::Range<usize>,
) -> Vec<JoinHandle<()>> {
    let spawn = |number| {
        let (limiter, log) = (limiter.clone(), log.clone());
        tokio::spawn(async move {
            let turn = turn(&limiter).await;
            log.add(number);
            turn.end(Instant::now(), ANSWERED);
        })
    };
    numbers.map(spawn).collect()
}

/// Runs everything that does not wait for time to pass.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

async fn join(calls: Vec<JoinHandle<()>>) {
    for call in calls {
        call.await.expect("a call");
    }
}
