//! Conversions from and to `chrono` (feature `chrono`).

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::{Duration, ParseDurationError, ParseTimestampError, Timestamp};

impl TryFrom<Timestamp> for DateTime<Utc> {
    type Error = ParseTimestampError;

    /// Fails for a time outside the years 1 to 9999.
    fn try_from(time: Timestamp) -> Result<Self, Self::Error> {
        let time = time.validated()?;
        let converted = Self::from_timestamp(time.seconds, time.nanos.unsigned_abs());
        converted.ok_or(ParseTimestampError::Unrepresentable)
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
    type Error = ParseDurationError;

    /// Fails for a value that is not [valid](Duration::is_valid).
    fn try_from(duration: Duration) -> Result<Self, Self::Error> {
        let Duration { seconds, nanos } = duration.validated()?;
        // The nanoseconds of a `TimeDelta` count forwards.
        let (seconds, forwards) =
            if nanos < 0 { (seconds - 1, nanos + 1_000_000_000) } else { (seconds, nanos) };
        Self::new(seconds, forwards.unsigned_abs()).ok_or(ParseDurationError::OutOfRange)
    }
}

impl TryFrom<TimeDelta> for Duration {
    type Error = ParseDurationError;

    /// Fails for a span of more than 10,000 years.
    fn try_from(duration: TimeDelta) -> Result<Self, Self::Error> {
        Self { seconds: duration.num_seconds(), nanos: duration.subsec_nanos() }.validated()
    }
}
