//! The times of the seed, relative to its beginning.

use std::time::{Duration, SystemTime};

use crate::wkt::Timestamp;

/// The moment when a store is seeded.
#[derive(Clone, Copy)]
pub(super) struct Times(pub(super) SystemTime);

impl Times {
    /// Returns the time some seconds ago.
    pub(super) fn ago(self, seconds: u64) -> Timestamp {
        self.0.checked_sub(Duration::from_secs(seconds)).unwrap_or(self.0).into()
    }

    /// Returns the time in some seconds.
    pub(super) fn later(self, seconds: u64) -> Timestamp {
        self.0.checked_add(Duration::from_secs(seconds)).unwrap_or(self.0).into()
    }

    /// Replaces `{-3d}`, `{-1h}` and `{+2d}` by times.
    pub(super) fn fill(self, text: &str) -> String {
        let mut parts = text.split('{');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let time =
                part.split_once('}').and_then(|(name, rest)| Some((self.named(name)?, rest)));
            filled.push_str(&match time {
                Some((time, rest)) => format!("{time}{rest}"),
                None => format!("{{{part}"),
            });
        }
        filled
    }

    fn named(self, name: &str) -> Option<Timestamp> {
        let (count, seconds) = match name.strip_suffix('h') {
            Some(hours) => (hours, 3600),
            None => (name.strip_suffix('d')?, 86_400),
        };
        let seconds = count.parse::<i64>().ok()?.saturating_mul(seconds);
        let time = if seconds < 0 { Self::ago } else { Self::later };
        Some(time(self, seconds.unsigned_abs()))
    }
}
