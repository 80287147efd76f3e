//! A clock that moves only when something waits for it, so that hours take no time and every duration is
//! exact.
//!
//! A wait of the client (a backoff, a pause) moves the clock to its end at once. Limits of the client (for a
//! call or an attempt) expire only when the clock gets there: through a wait, or because a server declares
//! how long it takes. No expiry is skipped: while an expired limit is still held, the clock stands still.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use eset_protect::Timer;
use eset_protect::auth::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;

use super::scripted::Hook;

/// The time of day at the start: a whole second, like dates in headers.
pub const MORNING: Duration = Duration::from_secs(1_800_000_000);

/// A driven clock. Clones share it.
#[derive(Clone, Debug)]
pub struct DrivenTimer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    /// Whether waits of the client do not move it.
    is_still: bool,
    /// Notifies of every change: of the time, and of the expiries.
    elapsed: watch::Sender<Duration>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The time of each expiry, with its number.
    expiries: BTreeSet<(Duration, u64)>,
    next: u64,
    waits: Vec<Duration>,
    limits: Vec<Duration>,
}

impl DrivenTimer {
    pub fn new() -> Self {
        Self::of(false)
    }

    /// Creates a clock that waits of the client do not move, only the test.
    pub fn still() -> Self {
        Self::of(true)
    }

    fn of(is_still: bool) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner {
            start: Instant::now(),
            is_still,
            elapsed: watch::channel(Duration::ZERO).0,
            state,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("the state")
    }

    /// Returns the time since the start.
    pub fn elapsed(&self) -> Duration {
        *self.0.elapsed.borrow()
    }

    /// Returns each of the client's waits.
    pub fn waits(&self) -> Vec<Duration> {
        self.state().waits.clone()
    }

    /// Waits until the client has begun this many waits.
    pub async fn until_waits(&self, count: usize) {
        let mut changes = self.0.elapsed.subscribe();
        while self.waits().len() < count {
            changes.changed().await.expect("the timer is here");
        }
    }

    /// Returns each limit of the client.
    pub fn limits(&self) -> Vec<Duration> {
        self.state().limits.clone()
    }

    /// Advances the clock, at most to the next expiry. Returns whether there was none.
    pub fn advance(&self, duration: Duration) -> bool {
        let target = self.elapsed() + duration;
        let next = self.state().expiries.first().map(|(at, _)| *at);
        self.move_to(target) && next.is_none_or(|at| at > target)
    }

    /// Advances the clock to the next expiry, if there can still be one.
    pub fn run_out(&self) {
        let next = self.state().expiries.first().map(|(at, _)| *at);
        if let Some(next) = next {
            self.move_to(next);
        }
    }

    /// Simulates a server that takes this long for what follows.
    pub fn takes(&self, duration: Duration) -> Hook {
        let timer = self.clone();
        Hook::new(move || timer.advance(duration))
    }

    /// Simulates a server that sends nothing more.
    pub fn silence(&self) -> Hook {
        let timer = self.clone();
        Hook::new(move || {
            timer.run_out();
            false
        })
    }

    /// Advances the clock to this time unless something expires before; returns whether it got there.
    fn move_to(&self, target: Duration) -> bool {
        let state = self.state();
        let limit = state.expiries.first().map_or(Duration::MAX, |(at, _)| *at);
        let mut is_there = false;
        self.0.elapsed.send_if_modified(|elapsed| {
            let before = *elapsed;
            *elapsed = before.max(target.min(limit));
            is_there = *elapsed >= target;
            *elapsed != before
        });
        is_there
    }
}

impl Timer for DrivenTimer {
    fn now(&self) -> Instant {
        self.0.start + self.elapsed()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + MORNING + self.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let timer = self.clone();
        Box::pin(async move {
            timer.state().waits.push(duration);
            let target = timer.elapsed() + duration;
            let mut changes = timer.0.elapsed.subscribe();
            timer.0.elapsed.send_modify(|_| {});
            let is_over = || match timer.0.is_still {
                true => timer.elapsed() >= target,
                false => timer.move_to(target),
            };
            while !is_over() {
                changes.changed().await.expect("the timer is here");
            }
        })
    }

    fn expiry(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let expiry = Expiry::new(self.clone(), duration);
        let mut changes = self.0.elapsed.subscribe();
        Box::pin(async move {
            // The whole value, not a single field.
            let expiry = expiry;
            changes.wait_for(|elapsed| *elapsed >= expiry.at).await.expect("the timer is here");
        })
    }
}

/// An expiry. While it is held, the clock does not pass it.
struct Expiry {
    timer: DrivenTimer,
    at: Duration,
    number: u64,
}

impl Expiry {
    fn new(timer: DrivenTimer, duration: Duration) -> Self {
        let at = timer.elapsed() + duration;
        let mut state = timer.state();
        let number = state.next;
        state.next += 1;
        state.limits.push(duration);
        state.expiries.insert((at, number));
        drop(state);
        Self { timer, at, number }
    }
}

impl Drop for Expiry {
    fn drop(&mut self) {
        self.timer.state().expiries.remove(&(self.at, self.number));
        self.timer.0.elapsed.send_modify(|_| {});
    }
}
