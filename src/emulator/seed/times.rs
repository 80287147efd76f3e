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
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let time =
                after.split_once('}').and_then(|(name, rest)| Some((self.named(name)?, rest)));
            match time {
                Some((time, after)) => {
                    filled.push_str(&time.to_string());
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    fn named(self, name: &str) -> Option<Timestamp> {
        let (sign, rest) = name.split_at_checked(1)?;
        let (count, unit) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
        let unit = match unit {
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        let seconds = count.parse::<u64>().ok()?.saturating_mul(unit);
        match sign {
            "-" => Some(self.ago(seconds)),
            "+" => Some(self.later(seconds)),
            _ => None,
        }
    }
}
