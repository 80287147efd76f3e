//! A timer for tests in which nothing waits for a retry.

use std::time::{Duration, SystemTime};

use eset_protect::Timer;
use eset_protect::auth::BoxFuture;
use tokio::time::Instant;

/// Every pause is over at once; a deadline is not.
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
