//! Conversions from and to `jiff` (feature `jiff`).

use super::{Duration, ParseDurationError, ParseTimestampError, Timestamp};

impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = ParseTimestampError;

    /// Fails for a time outside the years 1 to 9999, and for the last 26 hours of them, which `jiff` does not have.
    fn try_from(time: Timestamp) -> Result<Self, Self::Error> {
        let time = time.validated()?;
        Self::new(time.seconds, time.nanos).map_err(|_| ParseTimestampError::Unrepresentable)
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
    type Error = ParseDurationError;

    /// Fails for a value that is not [valid](Duration::is_valid).
    fn try_from(duration: Duration) -> Result<Self, Self::Error> {
        let Duration { seconds, nanos } = duration.validated()?;
        Ok(Self::new(seconds, nanos))
    }
}

impl TryFrom<jiff::SignedDuration> for Duration {
    type Error = ParseDurationError;

    /// Fails for a span of more than 10,000 years.
    fn try_from(duration: jiff::SignedDuration) -> Result<Self, Self::Error> {
        Self { seconds: duration.as_secs(), nanos: duration.subsec_nanos() }.validated()
    }
}
