//! The rate limits of callers with tokens of their own.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::caller::TokenHash;
use crate::rate_limiter::RateLimiter;

/// The most tokens with a limit of their own.
const MOST: usize = 1024;
/// How long the limit of a token is kept while nobody uses it, once there are that many.
const KEPT: Duration = Duration::from_secs(10);

/// A limit for each token, because ESET counts by credential: nobody who makes up tokens takes the turns of others, or
/// makes them wait for a refusal.
#[derive(Default)]
pub(super) struct OwnLimits(Mutex<HashMap<TokenHash, (RateLimiter, Instant)>>);

impl OwnLimits {
    /// Returns the limit of a token, which is that of its tenant anew.
    pub(super) fn of(&self, token: &[u8], tenant: &RateLimiter, now: Instant) -> RateLimiter {
        let mut hash = TokenHash::of_bytes(token);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST && !kept.contains_key(&hash) {
            kept.retain(|_, (limiter, used)| limiter.waiting() > 0 || now - *used < KEPT);
            if kept.len() >= MOST {
                // All others share one.
                hash = TokenHash::of_bytes(b"");
            }
        }
        let (limiter, used) =
            kept.entry(hash).or_insert_with(|| (tenant.alike(&hash.to_string()), now));
        *used = now;
        limiter.clone()
    }
}

impl fmt::Debug for OwnLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnLimits").finish_non_exhaustive()
    }
}
