//! Time that passes only where somebody waits for it, so that hours take no time and every duration is
//! exact.
//!
//! A wait of the client (a backoff, a pause) moves the time to its end at once. What the client bounds (a
//! call, an attempt) runs out only when the time gets there: by a wait, or because a server says how long it
//! takes. No moment is passed over: while something that ran out is still held, the time stands.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use eset_protect::Timer;
use eset_protect::auth::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;

use super::scripted::Hook;

/// The time of day at the start: a whole second, as dates in headers are.
pub const MORNING: Duration = Duration::from_secs(1_800_000_000);

/// A driven clock; its clones are the same.
#[derive(Clone, Debug)]
pub struct DrivenTimer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    /// Tells of every change: of the time, and of what it may not pass.
    elapsed: watch::Sender<Duration>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When something runs out, and its number.
    expiries: BTreeSet<(Duration, u64)>,
    next: u64,
    waits: Vec<Duration>,
}

impl DrivenTimer {
    pub fn new() -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner {
            start: Instant::now(),
            elapsed: watch::channel(Duration::ZERO).0,
            state,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("the state")
    }

    /// How long it is since the start.
    pub fn elapsed(&self) -> Duration {
        *self.0.elapsed.borrow()
    }

    /// How long the client has waited, each time.
    pub fn waits(&self) -> Vec<Duration> {
        self.state().waits.clone()
    }

    /// Moves the time on, until something runs out at most. Whether nothing did.
    pub fn advance(&self, duration: Duration) -> bool {
        let target = self.elapsed() + duration;
        let next = self.state().expiries.first().map(|(at, _)| *at);
        self.move_to(target) && next.is_none_or(|at| at > target)
    }

    /// Moves the time to where something runs out, if anything still can.
    pub fn run_out(&self) {
        let next = self.state().expiries.first().map(|(at, _)| *at);
        if let Some(next) = next {
            self.move_to(next);
        }
    }

    /// A server that needs so long for what follows.
    pub fn takes(&self, duration: Duration) -> Hook {
        let timer = self.clone();
        Hook::new(move || timer.advance(duration))
    }

    /// A server from which nothing more comes.
    pub fn silence(&self) -> Hook {
        let timer = self.clone();
        Hook::new(move || {
            timer.run_out();
            false
        })
    }

    /// Moves the time there if nothing runs out before; whether it got there.
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
            while !timer.move_to(target) {
                changes.changed().await.expect("the timer is here");
            }
        })
    }

    fn expiry(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let expiry = Expiry::new(self.clone(), duration);
        let mut changes = self.0.elapsed.subscribe();
        Box::pin(async move {
            // The whole of it, not the one field.
            let expiry = expiry;
            changes.wait_for(|elapsed| *elapsed >= expiry.at).await.expect("the timer is here");
        })
    }
}

/// Something that runs out. While it is held the time does not pass it.
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
