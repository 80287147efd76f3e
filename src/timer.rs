//! Time, as everything that waits in this crate sees it.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A future that is not known by its type.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clock of a client. Its default is tokio's; a test gives one that it drives, so that hours of
/// backoff pass at once ([`ClientBuilder::timer`](crate::ClientBuilder::timer)).
///
/// What it does not reach: the timers of the connections below (connecting, keep-alive), which go by tokio's
/// clock. The token of [`ClientBuilder::login`](crate::ClientBuilder#method.login) lives by this one; a
/// [`TokenCache`](crate::auth::TokenCache) of one's own is given it
/// [as well](crate::auth::TokenCache::with_timer).
pub trait Timer: Debug + Send + Sync + 'static {
    /// The time by which deadlines and waits are reckoned. Never goes back.
    fn now(&self) -> Instant;

    /// The time of day, for a `Retry-After` that names one.
    fn system_time(&self) -> SystemTime;

    /// Waits before the client does something: a backoff, its turn under the rate limit, a pause before it
    /// asks again.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Ends when what runs beside it has had this long: the deadline of a call, the time of an attempt.
    /// The client does not wait for it but for what runs, so a driven clock does not pass it over.
    fn expiry(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep(duration)
    }
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
        // Lazy: made where it is polled, in the runtime.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

/// Runs something for so long at most; `None` if that was not enough, and then it is dropped.
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
