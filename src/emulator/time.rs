//! Arithmetic with times.

use std::time::{Duration, SystemTime};

use crate::wkt::Timestamp;

/// A time moved on, or the latest there is.
pub(crate) fn later(time: Timestamp, millis: u64) -> Timestamp {
    const LATEST: Timestamp = Timestamp { seconds: 253_402_300_799, nanos: 999_999_999 };
    SystemTime::try_from(time)
        .ok()
        .and_then(|time| time.checked_add(Duration::from_millis(millis)))
        .map(Timestamp::from)
        .filter(Timestamp::is_valid)
        .unwrap_or(LATEST)
}
