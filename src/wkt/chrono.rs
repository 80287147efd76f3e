//! Conversions from and to `chrono` (feature `chrono`).

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::{Duration, ParseTimestampError, Timestamp};

impl TryFrom<Timestamp> for DateTime<Utc> {
    type Error = ParseTimestampError;

    /// Fails for a time outside the years 1 to 9999.
    fn try_from(time: Timestamp) -> Result<Self, Self::Error> {
        let time = time.validated()?;
        let converted = Self::from_timestamp(time.seconds, time.nanos.unsigned_abs());
        converted.ok_or(ParseTimestampError::OutOfRange)
    }
}

impl<Z: TimeZone> TryFrom<DateTime<Z>> for Timestamp {
    type Error = ParseTimestampError;

    /// Fails for a time outside the years 1 to 9999, and within a leap second, which has no timestamp.
    fn try_from(time: DateTime<Z>) -> Result<Self, Self::Error> {
        let nanos = time.timestamp_subsec_nanos().cast_signed();
        Self { seconds: time.timestamp(), nanos }.validated()
    }
}

impl TryFrom<Duration> for TimeDelta {
    type Error = Duration;

    /// Returns a value that is not [valid](Duration::is_valid) as the error.
    fn try_from(duration: Duration) -> Result<Self, Duration> {
        let Duration { seconds, nanos } = duration;
        // The nanoseconds of a `TimeDelta` count forwards.
        let (seconds, forwards) = if nanos < 0 {
            (seconds.saturating_sub(1), nanos + 1_000_000_000)
        } else {
            (seconds, nanos)
        };
        let converted = Self::new(seconds, forwards.unsigned_abs());
        converted.filter(|_| duration.is_valid()).ok_or(duration)
    }
}

impl TryFrom<TimeDelta> for Duration {
    type Error = TimeDelta;

    /// Returns a span of more than 10,000 years as the error.
    fn try_from(duration: TimeDelta) -> Result<Self, TimeDelta> {
        let converted = Self { seconds: duration.num_seconds(), nanos: duration.subsec_nanos() };
        if converted.is_valid() { Ok(converted) } else { Err(duration) }
    }
}
