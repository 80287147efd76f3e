//! The shared budget of retries (gRFC A6, "Throttling Retry Attempts").

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::warn_limit::WarnLimit;

/// A thousandth of a token, the smallest unit in gRFC A6.
const TOKEN: u32 = 1000;

/// A token bucket that stops retries while a service is unhealthy, so that retries do not overload it
/// further. Every attempt with a retryable failure takes a token, every response returns part of one, and
/// retries are allowed only while more than half of the tokens are left. First attempts are never stopped.
///
/// All of its clones share the tokens, and so do all clones of a client. Give the same throttle to several
/// clients of one service to share it among them.
///
/// Unlike in gRFC A6, a response with an error that is not retryable, such as `NOT_FOUND`, returns tokens as
/// a success does, because it also shows that the service works. Refusals by the rate limit take no tokens:
/// the [`RateLimiter`](crate::RateLimiter) and the backoff handle these.
///
/// ```
/// use eset_protect::{Client, RetryThrottle};
///
/// let throttle = RetryThrottle::default();
/// let eu = Client::builder("http://eu.internal:50051").retry_throttle(&throttle);
/// let us = Client::builder("http://us.internal:50051").retry_throttle(&throttle);
/// ```
#[derive(Clone, Debug)]
pub struct RetryThrottle(Arc<Bucket>);

#[derive(Debug)]
struct Bucket {
    /// In thousandths, like the others.
    tokens: AtomicU32,
    max: u32,
    given_back: u32,
    warnings: WarnLimit,
}

impl Default for RetryThrottle {
    /// Creates a throttle with 100 tokens and a tenth returned per response. If many calls fail together, 49
    /// are retried; a service that is down gets these, and then one attempt per call until it responds.
    fn default() -> Self {
        Self::new(100, 0.1)
    }
}

impl RetryThrottle {
    /// Creates a full bucket with `max_tokens`, to which each response returns `token_ratio`. gRFC A6 allows
    /// 1 to 1000 tokens and a positive ratio with three decimal places; other values are adjusted to the
    /// nearest allowed one.
    pub fn new(max_tokens: u32, token_ratio: f64) -> Self {
        let max = max_tokens.clamp(1, 1000) * TOKEN;
        // The cast saturates, and NaN becomes 0.
        let given_back = ((token_ratio * f64::from(TOKEN)).round() as u32).clamp(1, max);
        let (tokens, warnings) = (AtomicU32::new(max), WarnLimit::new());
        Self(Arc::new(Bucket { tokens, max, given_back, warnings }))
    }

    /// Returns the number of remaining tokens.
    pub fn tokens(&self) -> f64 {
        f64::from(self.0.tokens.load(Ordering::Relaxed)) / f64::from(TOKEN)
    }

    /// Returns the limit of warnings that a retry was not allowed.
    pub(super) fn warnings(&self) -> &WarnLimit {
        &self.0.warnings
    }

    /// Records a retryable failure and returns whether a retry is allowed.
    pub(super) fn failed(&self) -> bool {
        let take = |tokens: u32| Some(tokens.saturating_sub(TOKEN));
        let before = self.0.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        before.is_ok_and(|before| before.saturating_sub(TOKEN) > self.0.max / 2)
    }

    /// Records a response.
    pub(super) fn answered(&self) {
        let tokens = self.0.tokens.load(Ordering::Relaxed);
        // The bucket is nearly always full; not writing then avoids contention between cores.
        if tokens < self.0.max {
            let give = |tokens: u32| Some(tokens.saturating_add(self.0.given_back).min(self.0.max));
            let _ = self.0.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
        }
    }
}
