//! What a tenant knows of the tokens that callers have at its upstream.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::caller::TokenHash;
use crate::rate_limiter::RateLimiter;

/// The most tokens that are known, of either kind.
const MOST: usize = 1024;
/// How long a token is known while nobody uses it, once there are that many.
const KEPT: Duration = Duration::from_secs(10);
/// How often unused ones are looked for, since that means to look at all.
const PAUSE: Duration = Duration::from_secs(1);

/// The token of a caller for the upstream.
#[derive(Clone)]
pub(super) struct OwnToken {
    pub(super) header: HeaderValue,
    pub(super) hash: TokenHash,
}

/// The tokens that the upstream has accepted, and others, which may be made up. The two kinds do not compete for places.
///
/// Each has a rate limit of its own, because ESET counts by credential: a caller that makes up tokens neither takes the
/// turns of others nor makes them wait for a refusal.
#[derive(Default)]
pub(super) struct OwnTokens(Mutex<Kinds>);

#[derive(Default)]
struct Kinds {
    accepted: Tokens,
    others: Tokens,
}

#[derive(Default)]
struct Tokens {
    by_hash: HashMap<TokenHash, Known>,
    swept: Option<Instant>,
}

struct Known {
    /// None if the tenant has none.
    limiter: Option<RateLimiter>,
    used: Instant,
}

impl OwnTokens {
    /// Returns the limit of a token, which is that of its tenant anew.
    pub(super) fn limiter(
        &self,
        token: TokenHash,
        tenant: Option<&RateLimiter>,
    ) -> Option<RateLimiter> {
        self.change(|Kinds { accepted, others }| {
            let now = Instant::now();
            if let Some(known) = accepted.by_hash.get_mut(&token) {
                known.used = now;
                return known.limiter.clone();
            }
            let has_place = others.by_hash.contains_key(&token) || others.has_room(now);
            // All that have no place share one.
            let token = if has_place { token } else { TokenHash::of("") };
            let known = others.by_hash.entry(token).or_insert_with(|| Known::new(token, tenant));
            known.used = now;
            known.limiter.clone()
        })
    }

    /// Whether the upstream has accepted a token.
    pub(super) fn is_accepted(&self, token: TokenHash) -> bool {
        self.change(|kinds| kinds.accepted.by_hash.contains_key(&token))
    }

    /// Records that the upstream has accepted a token.
    pub(super) fn accept(&self, token: TokenHash, tenant: Option<&RateLimiter>) {
        self.change(|Kinds { accepted, others }| {
            if !accepted.by_hash.contains_key(&token) && accepted.has_room(Instant::now()) {
                let known = others.by_hash.remove(&token);
                let known = known.unwrap_or_else(|| Known::new(token, tenant));
                accepted.by_hash.insert(token, known);
            }
        });
    }

    /// Records that the upstream has refused a token.
    pub(super) fn refuse(&self, token: TokenHash) {
        self.change(|kinds| kinds.accepted.by_hash.remove(&token));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Kinds) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tokens {
    fn has_room(&mut self, now: Instant) -> bool {
        let is_due = self.swept.is_none_or(|at| now - at >= PAUSE);
        if self.by_hash.len() >= MOST && is_due {
            self.swept = Some(now);
            self.by_hash.retain(|_, known| {
                let is_waiting = known.limiter.as_ref().is_some_and(|one| one.waiting() > 0);
                is_waiting || now - known.used < KEPT
            });
        }
        self.by_hash.len() < MOST
    }
}

impl Known {
    fn new(token: TokenHash, tenant: Option<&RateLimiter>) -> Self {
        let limiter = tenant.map(|limiter| limiter.alike(&token.to_string()));
        Self { limiter, used: Instant::now() }
    }
}
