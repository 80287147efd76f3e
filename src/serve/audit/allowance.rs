//! How much of the log may be about callers who may be nobody.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a byte takes of the allowance, and the whole of it: 4 MB at once, and 1 kB a second, which is 86 MB a day.
const BYTE: Duration = Duration::from_millis(1);
const WHOLE: Duration = Duration::from_secs(4000);

/// The bytes that may be written about tokens that no upstream has accepted.
///
/// Only the upstream can tell a made-up token, after the line that has to be written before the call. Whoever makes up
/// tokens could fill the disk with these lines, which would stop the writes of everybody. So all such tokens share an
/// allowance, and a call beyond it is neither logged nor sent. The holder of a real token gets out of it by any call
/// that the upstream accepts, such as one that changes nothing, which is not logged.
///
/// It counts bytes, since a caller chooses how long its lines are, and belongs to the log rather than to a tenant,
/// since the disk does.
#[derive(Debug)]
pub(super) struct Allowance(Mutex<Instant>);

impl Default for Allowance {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Allowance {
    /// Takes this number of bytes, if there are as many.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let now = Instant::now();
        // When all of it is there again.
        let mut whole_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let time = BYTE.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX));
        let at = (*whole_at).max(now) + time;
        let is_there = at - now <= WHOLE;
        if is_there {
            *whole_at = at;
        }
        is_there
    }
}
