//! A timer that tests control, together with the emulator's clock.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use eset_protect::Timer;
use eset_protect::emulator::{Clock, ManualClock};
use tokio::sync::watch;
use tokio::time::Instant;

/// A clock that advances only when the client waits or the test says so.
///
/// A `sleep` advances the time at once, here and at the emulator, and is recorded. Runs therefore progress
/// while a client pauses, and nothing ever really waits. An `expiry` ends only when this clock has passed it,
/// so a call that is slow by the machine's clock is not cut off.
#[derive(Clone, Debug)]
pub struct EmulatorTimer {
    start: Instant,
    passed: Arc<watch::Sender<Duration>>,
    clock: Arc<ManualClock>,
    sleeps: Arc<Mutex<Vec<Duration>>>,
    ahead: Arc<Mutex<Duration>>,
}

impl EmulatorTimer {
    /// Creates a timer whose time of day is that of `clock`, which it advances.
    pub fn new(clock: Arc<ManualClock>) -> Self {
        let passed = Arc::new(watch::channel(Duration::ZERO).0);
        Self { start: Instant::now(), passed, clock, sleeps: Arc::default(), ahead: Arc::default() }
    }

    /// Advances the time.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.passed.send_modify(|passed| *passed += by);
    }

    /// Puts the client's time of day ahead of the emulator's.
    pub fn shift(&self, by: Duration) {
        *self.ahead.lock().expect("the difference") = by;
    }

    /// Returns the time that has passed.
    pub fn passed(&self) -> Duration {
        *self.passed.borrow()
    }

    /// Returns each of the client's waits since the previous call.
    pub fn take_sleeps(&self) -> Vec<Duration> {
        std::mem::take(&mut self.sleeps.lock().expect("the sleeps"))
    }
}

impl Timer for EmulatorTimer {
    fn now(&self) -> Instant {
        self.start + self.passed()
    }

    fn system_time(&self) -> SystemTime {
        self.clock.now() + *self.ahead.lock().expect("the difference")
    }

    fn sleep(&self, duration: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        let timer = self.clone();
        Box::pin(async move {
            timer.sleeps.lock().expect("the sleeps").push(duration);
            timer.advance(duration);
        })
    }

    fn expiry(&self, duration: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        let end = self.passed().saturating_add(duration);
        let mut passed = self.passed.subscribe();
        Box::pin(async move {
            if passed.wait_for(|passed| *passed >= end).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
