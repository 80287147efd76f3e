//! A timer for tests without waits between retries.

use std::time::{Duration, SystemTime};

use eset_protect::Timer;
use eset_protect::auth::BoxFuture;
use tokio::time::Instant;

/// Every pause ends at once, but no deadline does.
#[derive(Debug)]
pub struct Hasty;

impl Timer for Hasty {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn expiry(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
