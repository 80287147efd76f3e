//! How much of the log may be about tokens that no upstream has accepted.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much of the allowance a byte uses up, and the whole allowance: 4 MB at once, and 1 kB a second, which is 86 MB a
/// day.
const BYTE: Duration = Duration::from_millis(1);
const WHOLE: Duration = Duration::from_secs(4000);

/// The bytes that may be written about tokens that no upstream has accepted.
///
/// Only the upstream can tell whether a token is made up, and the line before the call is written first. With these lines
/// anybody could fill the disk, which would stop the writes of everybody. So such tokens share an allowance, and a call
/// beyond it is neither logged nor sent. A real token is out of it once the upstream has accepted any call with it, such
/// as one that changes nothing, which is not logged.
///
/// It counts bytes because callers choose how long their lines are. It is one for the whole log, as the disk is.
#[derive(Debug)]
pub(super) struct Allowance(Mutex<Instant>);

impl Default for Allowance {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Allowance {
    /// Takes this number of bytes if they are available.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let now = Instant::now();
        // When the whole allowance is available again.
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
