//! For how long no calls go to an endpoint that failed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::{Backoff, Jitter};
use crate::telemetry;

/// The times of gRPC's connection backoff.
const INITIAL: Duration = Duration::from_secs(1);
const MAX: Duration = Duration::from_secs(120);
const MULTIPLIER: f64 = 1.6;

/// The ejection of one address, for all connections to it.
#[derive(Debug)]
pub(super) struct Ejection {
    jitter: Jitter,
    /// Whether there is something to read in `state`, so that a healthy endpoint costs no lock.
    is_failing: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of failures since the last success.
    failures: u32,
    until: Option<Instant>,
    /// Whether a call finds out whether the endpoint is back.
    is_probed: bool,
}

impl State {
    fn is_on(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

impl Ejection {
    pub(super) fn new(jitter: Jitter) -> Self {
        Self { jitter, is_failing: AtomicBool::new(false), state: Mutex::default() }
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        let is_failing = self.is_failing.load(Ordering::Acquire);
        is_failing.then(|| self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether no call should go there.
    pub(super) fn is_on(&self, now: Instant) -> bool {
        self.state().is_some_and(|state| state.is_on(now))
    }

    /// Ejects the endpoint, longer each time. All calls on a connection fail with it, and count once.
    pub(super) fn begin(&self, now: Instant, name: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_on(now) && !std::mem::take(&mut state.is_probed) {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        let wait = self.wait(state.failures);
        state.until = Some(now + wait);
        self.is_failing.store(true, Ordering::Release);
        telemetry::ejected(name, state.failures, wait);
    }

    /// Sends one call there to find out whether the endpoint is back. Until that is known, the others go elsewhere.
    pub(super) fn probe(&self, now: Instant) {
        if let Some(mut state) = self.state()
            && !state.is_on(now)
        {
            state.until = Some(now + self.wait(state.failures));
            state.is_probed = true;
        }
    }

    /// The endpoint works.
    pub(super) fn end(&self) {
        if let Some(mut state) = self.state() {
            *state = State::default();
            self.is_failing.store(false, Ordering::Release);
        }
    }

    fn wait(&self, failures: u32) -> Duration {
        let backoff = Backoff::new(INITIAL, MAX).multiplier(MULTIPLIER);
        self.jitter.draw_upper_half(backoff.ceiling(failures))
    }
}
