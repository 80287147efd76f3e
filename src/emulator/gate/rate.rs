//! The documented rate limit ([facts](crate::facts#rate-limit)).

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The number of calls
pub(super) const CALLS: usize = 10;
/// in this window, for each caller.
const WINDOW: Duration = Duration::from_secs(1);
/// The maximum number of callers to track.
const MAX_CALLERS: usize = 10_000;

/// A caller: a token at an address.
type Caller = (String, Option<IpAddr>);

/// Counts the calls of each caller in the last second, by the emulator's clock.
#[derive(Default)]
pub(super) struct RateLimit(Mutex<BTreeMap<Caller, VecDeque<SystemTime>>>);

impl RateLimit {
    /// Whether another call is allowed now; if so, counts it.
    pub(super) fn allows(&self, token: &str, address: Option<IpAddr>, now: SystemTime) -> bool {
        let is_recent = |time: &SystemTime| {
            now.duration_since(*time).is_ok_and(|age| age < WINDOW) || *time > now
        };
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = (token.to_owned(), address);
        if callers.len() >= MAX_CALLERS && !callers.contains_key(&caller) {
            callers.retain(|_, calls| calls.back().is_some_and(is_recent));
            if callers.len() >= MAX_CALLERS {
                return false;
            }
        }
        let calls = callers.entry(caller).or_default();
        calls.retain(is_recent);
        let allowed = calls.len() < CALLS;
        if allowed {
            calls.push_back(now);
        }
        allowed
    }
}
