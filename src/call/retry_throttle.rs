//! The shared budget of retries (gRFC A6, "Throttling Retry Attempts").

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A thousandth of a token is the smallest that gRFC A6 knows.
const TOKEN: u32 = 1000;

/// A token bucket that stops retries while a service is sick, so that the clients' patience does not
/// become its storm. Every attempt that fails in a retryable way takes a token, every answer gives a
/// part of one back, and there are retries only while more than half of the tokens are there. First
/// attempts are never stopped.
///
/// Its clones share the tokens; so do all clones of a client. Give the same one to several clients of one
/// service to let them share too.
///
/// Other than in gRFC A6, an answer that is an error but not a retryable one, such as `NOT_FOUND`, gives
/// back as a success does: it shows as well that the service works. What the rate limit refuses takes nothing:
/// the [`RateLimiter`](crate::RateLimiter) and the backoff answer that.
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
    /// In thousandths, as are the others.
    tokens: AtomicU32,
    max: u32,
    given_back: u32,
}

impl Default for RetryThrottle {
    /// 100 tokens, a tenth back for each answer. Of calls that break together, 49 are tried again; a
    /// service that is down gets those, then one attempt a call until it answers.
    fn default() -> Self {
        Self::new(100, 0.1)
    }
}

impl RetryThrottle {
    /// A bucket of `max_tokens`, full at first, which gets `token_ratio` back for each answer. gRFC A6
    /// allows 1 to 1000 tokens and a positive ratio of three decimals; what is outside counts as the
    /// nearest allowed.
    pub fn new(max_tokens: u32, token_ratio: f64) -> Self {
        let max = max_tokens.clamp(1, 1000) * TOKEN;
        // The cast saturates, and no number becomes 0.
        let given_back = ((token_ratio * f64::from(TOKEN)).round() as u32).clamp(1, max);
        Self(Arc::new(Bucket { tokens: AtomicU32::new(max), max, given_back }))
    }

    /// How many tokens are left.
    pub fn tokens(&self) -> f64 {
        f64::from(self.0.tokens.load(Ordering::Relaxed)) / f64::from(TOKEN)
    }

    /// An attempt failed in a retryable way. Whether there may be a retry.
    pub(super) fn failed(&self) -> bool {
        let take = |tokens: u32| Some(tokens.saturating_sub(TOKEN));
        let before = self.0.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        before.is_ok_and(|before| before.saturating_sub(TOKEN) > self.0.max / 2)
    }

    /// The service answered.
    pub(super) fn answered(&self) {
        let tokens = self.0.tokens.load(Ordering::Relaxed);
        // Nearly always full, and then nothing is written, which many cores would fight for.
        if tokens < self.0.max {
            let give = |tokens: u32| Some(tokens.saturating_add(self.0.given_back).min(self.0.max));
            let _ = self.0.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
        }
    }
}
