//! A timer that moves with the emulator's clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use eset_protect::Timer;
use eset_protect::auth::BoxFuture;
use eset_protect::emulator::{Clock, ManualClock};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A clock that advances only when the client waits or the test says so, and the emulator's with it.
///
/// A `sleep` advances the time at once, and is recorded. Runs therefore progress while a client pauses, and nothing
/// ever really waits. If several [workers](Self::of_workers) share the clock, it advances when all of them sleep, to
/// the earliest time at which one of them continues. An `expiry` ends only when this clock has passed it, so a call
/// that is slow by the machine's clock is not cut off.
#[derive(Clone, Debug)]
pub struct EmulatorTimer {
    start: Instant,
    clock: Arc<ManualClock>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    passed: Duration,
    workers: usize,
    /// The number of the next wait.
    number: u64,
    /// What waits, by its end.
    waiting: BTreeMap<(Duration, u64), Waiter>,
    sleeps: Vec<Duration>,
    ahead: Duration,
}

#[derive(Debug)]
struct Waiter {
    wake: oneshot::Sender<()>,
    /// Whether it is a `sleep`.
    sleeps: bool,
}

impl EmulatorTimer {
    /// Creates a timer whose time of day is that of `clock`, which it advances.
    pub fn new(clock: Arc<ManualClock>) -> Self {
        Self::of_workers(clock, 1)
    }

    /// Creates a timer that this many workers share.
    pub fn of_workers(clock: Arc<ManualClock>, workers: usize) -> Self {
        let state = State { workers, ..State::default() };
        Self { start: Instant::now(), clock, state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the state")
    }

    /// Advances the time.
    pub fn advance(&self, by: Duration) {
        let end = self.passed() + by;
        self.wake_until(&mut self.state(), end);
    }

    /// Ends a worker, for which the others wait no more.
    pub fn worker_ended(&self) {
        self.state().workers -= 1;
        self.move_on();
    }

    /// Puts the client's time of day ahead of the emulator's.
    pub fn shift(&self, by: Duration) {
        self.state().ahead = by;
    }

    /// Returns the time that has passed.
    pub fn passed(&self) -> Duration {
        self.state().passed
    }

    /// Returns each of the client's waits since the previous call.
    pub fn take_sleeps(&self) -> Vec<Duration> {
        std::mem::take(&mut self.state().sleeps)
    }

    /// Advances while all workers sleep.
    fn move_on(&self) {
        let mut state = self.state();
        let asleep = |state: &State| state.waiting.values().filter(|waiter| waiter.sleeps).count();
        while state.workers > 0 && asleep(&state) >= state.workers {
            let Some(((end, _), _)) = state.waiting.first_key_value() else { return };
            let end = *end;
            self.wake_until(&mut state, end);
        }
    }

    /// Advances to a time, and wakes what waits until then.
    fn wake_until(&self, state: &mut State, end: Duration) {
        if let Some(step) = end.checked_sub(state.passed) {
            state.passed = end;
            self.clock.advance(step);
        }
        while let Some(first) = state.waiting.first_entry().filter(|it| it.key().0 <= end) {
            // Nobody may be left.
            let _ = first.remove().wake.send(());
        }
    }

    fn wait(&self, duration: Duration, sleeps: bool) -> BoxFuture<'static, ()> {
        let timer = self.clone();
        let end = self.passed().saturating_add(duration);
        Box::pin(async move {
            let (wake, woken) = oneshot::channel();
            let place = {
                let mut state = timer.state();
                if sleeps {
                    state.sleeps.push(duration);
                }
                if end <= state.passed {
                    return;
                }
                state.number += 1;
                let key = (end, state.number);
                state.waiting.insert(key, Waiter { wake, sleeps });
                Place { timer: timer.clone(), key }
            };
            timer.move_on();
            woken.await.expect("the timer is here");
            drop(place);
        })
    }
}

/// Something that waits. Dropping it ends that.
struct Place {
    timer: EmulatorTimer,
    key: (Duration, u64),
}

impl Drop for Place {
    fn drop(&mut self) {
        self.timer.state().waiting.remove(&self.key);
    }
}

impl Timer for EmulatorTimer {
    fn now(&self) -> Instant {
        self.start + self.passed()
    }

    fn system_time(&self) -> SystemTime {
        self.clock.now() + self.state().ahead
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.wait(duration, true)
    }

    fn expiry(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.wait(duration, false)
    }
}
