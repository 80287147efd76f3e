//! A timer that a test drives, and the emulator's clock with it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use eset_protect::Timer;
use eset_protect::emulator::{Clock, ManualClock};
use tokio::sync::watch;
use tokio::time::Instant;

/// Time that passes only when the client waits or the test says so.
///
/// A `sleep` moves the time forward at once, both here and at the emulator, and is written down; so runs
/// progress while a client pauses, and nothing ever really waits. An `expiry` ends only when the driven
/// time has passed it, so a call that takes long by the machine's clock is not cut off.
#[derive(Clone, Debug)]
pub struct DrivenTimer {
    start: Instant,
    passed: Arc<watch::Sender<Duration>>,
    clock: Arc<ManualClock>,
    sleeps: Arc<Mutex<Vec<Duration>>>,
    ahead: Arc<Mutex<Duration>>,
}

impl DrivenTimer {
    /// A timer whose time of day is that of `clock`, which moves with it.
    pub fn new(clock: Arc<ManualClock>) -> Self {
        let passed = Arc::new(watch::channel(Duration::ZERO).0);
        Self { start: Instant::now(), passed, clock, sleeps: Arc::default(), ahead: Arc::default() }
    }

    /// Moves the time.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.passed.send_modify(|passed| *passed += by);
    }

    /// Puts the client's time of day ahead of the emulator's.
    pub fn shift(&self, by: Duration) {
        *self.ahead.lock().expect("the difference") = by;
    }

    /// How much time has passed.
    pub fn passed(&self) -> Duration {
        *self.passed.borrow()
    }

    /// How long the client waited, each time, since this was asked last.
    pub fn take_sleeps(&self) -> Vec<Duration> {
        std::mem::take(&mut self.sleeps.lock().expect("the sleeps"))
    }
}

impl Timer for DrivenTimer {
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
