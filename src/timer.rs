//! The clock for everything in this crate that waits.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::pointers::for_pointers;

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clock of a client: tokio's by default. Tests can supply one that they control, so that hours of
/// backoff pass at once ([`ClientBuilder::timer`](crate::ClientBuilder::timer)).
///
/// It does not control the timers of the underlying connections (connecting, keep-alive), which use tokio's
/// clock. The token of [`ClientBuilder::login`](crate::ClientBuilder#method.login) uses this clock; pass it
/// to your own [`TokenCache`](crate::auth::TokenCache) with
/// [`with_timer`](crate::auth::TokenCache::with_timer).
pub trait Timer: Debug + Send + Sync + 'static {
    /// Returns the time for deadlines and waits. Must never go back.
    fn now(&self) -> Instant;

    /// Returns the time of day, for a `Retry-After` that contains a date.
    fn system_time(&self) -> SystemTime;

    /// Waits before the client does something: a backoff, the rate limit, a pause between polls.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Ends when the time for something else is up: the deadline of a call or the timeout of an attempt. The
    /// client waits for that other thing rather than for this future, so a controlled clock should not skip
    /// ahead to it.
    fn expiry(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep(duration)
    }
}

for_pointers! {
    Timer:
    now() -> Instant;
    system_time() -> SystemTime;
    sleep(duration: Duration) -> BoxFuture<'static, ()>;
    expiry(duration: Duration) -> BoxFuture<'static, ()>;
}

/// tokio's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TokioTimer;

impl Timer for TokioTimer {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // Created when polled, inside the runtime.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

/// Runs a future for at most this duration. Drops it and returns `None` if that was not enough.
pub(crate) async fn within<F: Future>(
    timer: &dyn Timer,
    duration: Duration,
    future: F,
) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut expiry = timer.expiry(duration);
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        expiry.as_mut().poll(cx).map(|()| None)
    })
    .await
}
