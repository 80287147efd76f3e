//! Conversions from and to `jiff` (feature `jiff`).

use super::{Duration, ParseTimestampError, Timestamp};

impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = ParseTimestampError;

    /// Fails for a time outside the years 1 to 9999.
    fn try_from(time: Timestamp) -> Result<Self, Self::Error> {
        let time = time.validated()?;
        Self::new(time.seconds, time.nanos).map_err(|_| ParseTimestampError::OutOfRange)
    }
}

impl TryFrom<jiff::Timestamp> for Timestamp {
    type Error = ParseTimestampError;

    /// Fails for a time before the year 1.
    fn try_from(time: jiff::Timestamp) -> Result<Self, Self::Error> {
        let nanos = time.subsec_nanosecond();
        // Before the epoch they count backwards.
        let (borrowed, nanos) = if nanos < 0 { (1, nanos + 1_000_000_000) } else { (0, nanos) };
        Self { seconds: time.as_second() - borrowed, nanos }.validated()
    }
}

impl TryFrom<Duration> for jiff::SignedDuration {
    type Error = Duration;

    /// Returns a value that is not [valid](Duration::is_valid) as the error.
    fn try_from(duration: Duration) -> Result<Self, Duration> {
        if !duration.is_valid() {
            return Err(duration);
        }
        Ok(Self::new(duration.seconds, duration.nanos))
    }
}

impl TryFrom<jiff::SignedDuration> for Duration {
    type Error = jiff::SignedDuration;

    /// Returns a span of more than 10,000 years as the error.
    fn try_from(duration: jiff::SignedDuration) -> Result<Self, Self::Error> {
        let converted = Self { seconds: duration.as_secs(), nanos: duration.subsec_nanos() };
        if converted.is_valid() { Ok(converted) } else { Err(duration) }
    }
}
