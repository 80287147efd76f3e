//! `google.protobuf.Duration`: a span of time; in JSON, seconds followed by `s`.

use std::fmt;

use prost::Message;
use serde::de::{Error as _, Unexpected};
use serde_json::Error;

use super::plain::{self, Plain, Seconds};
use super::well_known::WellKnown;
use crate::json::compact::Compact;
use crate::json::parser::Parser;

/// 10,000 years.
const MAX_SECONDS: i64 = 315_576_000_000;

/// A span of time, which may be negative. In JSON `"1.500s"`, with 0, 3, 6 or 9 decimal places. At most
/// 10,000 years in either direction; values outside this range have no such form, see
/// [`protojson`](crate::protojson#what-has-no-json-form).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub struct Duration {
    /// Whole seconds.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds, less than a second, with the same sign as `seconds`.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

well_known_names! { Duration }

impl Duration {
    /// Whether the value is in the valid range and both parts have the same sign.
    pub fn is_valid(&self) -> bool {
        (-MAX_SECONDS..=MAX_SECONDS).contains(&self.seconds)
            && (-999_999_999..=999_999_999).contains(&self.nanos)
            && i64::from(self.nanos.signum()) * self.seconds.signum() >= 0
    }
}

impl From<std::time::Duration> for Duration {
    /// Saturates at 10,000 years.
    fn from(duration: std::time::Duration) -> Self {
        match i64::try_from(duration.as_secs()) {
            Ok(seconds) if seconds <= MAX_SECONDS => {
                Self { seconds, nanos: duration.subsec_nanos().cast_signed() }
            }
            _ => Self { seconds: MAX_SECONDS, nanos: 0 },
        }
    }
}

impl TryFrom<Duration> for std::time::Duration {
    type Error = std::num::TryFromIntError;

    /// Fails for a negative duration.
    fn try_from(duration: Duration) -> Result<Self, Self::Error> {
        let seconds = u64::try_from(duration.seconds)?;
        let nanos = u64::try_from(duration.nanos)?;
        Ok(Self::from_secs(seconds).saturating_add(Self::from_nanos(nanos)))
    }
}

impl fmt::Display for Duration {
    /// Writes the JSON form. Values out of range are written as their two numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, nanos } = *self;
        match self.is_valid() {
            true => prost_types::Duration { seconds, nanos }.fmt(f),
            false => write!(f, "{seconds} s {nanos} ns"),
        }
    }
}

fn parse(text: &str) -> Option<Duration> {
    // prost takes any number of decimal places.
    let is_exact = text.split_once('.').is_none_or(|(_, rest)| rest.len() <= "123456789s".len());
    let prost_types::Duration { seconds, nanos } = text.parse().ok().filter(|_| is_exact)?;
    Some(Duration { seconds, nanos }).filter(Duration::is_valid)
}

impl WellKnown for Duration {
    fn write(&self, json: &mut Compact) -> Result<(), Error> {
        if self.is_valid() {
            json.plain(&self.to_string());
            return Ok(());
        }
        let Self { seconds, nanos } = *self;
        let problem =
            format_args!("a duration is at most 10,000 years and its parts have one sign: {self}");
        plain::write(problem, json, |json| Seconds::write(seconds, nanos, json))
    }

    fn read(parser: &mut Parser<'_>) -> Result<Self, Error> {
        plain::read(parser)
    }
}

impl Plain for Duration {
    const EXPECTED: &'static str = "a duration such as \"1.5s\", at most 10,000 years";

    fn parse(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::invalid_value(Unexpected::Str(text), &Self::EXPECTED))
    }

    fn fields(parser: &mut Parser<'_>) -> Result<Self, Error> {
        let Seconds { seconds, nanos } = Seconds::read(parser, Self::EXPECTED)?;
        Ok(Self { seconds, nanos })
    }
}
