//! `google.protobuf.Duration`: a span of time; in JSON, seconds followed by `s`.

use std::fmt;
use std::num::IntErrorKind::{NegOverflow, PosOverflow};
use std::str::FromStr;

use prost::Message;
use serde::de::{Error as _, Unexpected};
use serde_json::Error;

use super::plain::{self, Plain, Seconds};
use crate::json::compact::Compact;
use crate::json::message::JsonMessage;
use crate::json::parser::Parser;
use crate::json::schema::{JsonForm, Parameter};

/// 10,000 years.
const MAX_SECONDS: i64 = 315_576_000_000;

/// A span of time, which may be negative. In JSON `"1.500s"`, with 0, 3, 6 or 9 decimal places. At most
/// 10,000 years in either direction; values outside this range have no such form, see
/// [`protojson`](crate::protojson#what-has-no-json-form).
///
/// ```
/// use eset_protect::wkt::Duration;
///
/// let duration: Duration = "1.5s".parse()?;
/// assert_eq!(duration, std::time::Duration::from_millis(1500).into());
/// assert_eq!(duration.to_string(), "1.500s");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Message)]
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

    pub(super) fn validated(self) -> Result<Self, ParseDurationError> {
        if self.is_valid() { Ok(self) } else { Err(ParseDurationError::OutOfRange) }
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
    type Error = ParseDurationError;

    /// Fails for a negative duration, and one that is not [valid](Duration::is_valid).
    fn try_from(duration: Duration) -> Result<Self, Self::Error> {
        let Duration { seconds, nanos } = duration.validated()?;
        match (u64::try_from(seconds), u32::try_from(nanos)) {
            (Ok(seconds), Ok(nanos)) => Ok(Self::new(seconds, nanos)),
            _ => Err(ParseDurationError::Negative),
        }
    }
}

impl From<prost_types::Duration> for Duration {
    fn from(duration: prost_types::Duration) -> Self {
        Self { seconds: duration.seconds, nanos: duration.nanos }
    }
}

impl From<Duration> for prost_types::Duration {
    fn from(duration: Duration) -> Self {
        Self { seconds: duration.seconds, nanos: duration.nanos }
    }
}

/// The reason why a text or a span of another type is not a [`Duration`], or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseDurationError {
    /// The text is not a number of seconds with at most nine decimal places and `s`.
    Format,
    /// The span is longer than 10,000 years, or its parts have different signs.
    OutOfRange,
    /// The type to convert to has no negative spans.
    Negative,
}

impl fmt::Display for ParseDurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "expected seconds such as 1.5s",
            Self::OutOfRange => "a duration is at most 10,000 years and its parts have one sign",
            Self::Negative => "the duration is negative",
        })
    }
}

impl std::error::Error for ParseDurationError {}

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

impl FromStr for Duration {
    type Err = ParseDurationError;

    /// Parses the JSON form.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, rest) = text.split_at(text.find(['.', 's']).unwrap_or(text.len()));
        // prost takes any number of decimal places.
        let is_exact = rest.len() <= ".123456789s".len();
        match text.parse::<prost_types::Duration>() {
            Ok(duration) if is_exact => Self::from(duration).validated(),
            // It does not say whether the seconds are not a number or too large a one.
            _ => match whole.parse::<i64>() {
                Err(error) if matches!(error.kind(), PosOverflow | NegOverflow) => {
                    Err(ParseDurationError::OutOfRange)
                }
                _ => Err(ParseDurationError::Format),
            },
        }
    }
}

impl JsonMessage for Duration {
    const FORM: JsonForm = JsonForm::WellKnown { last_field: 2, parameter: Some(Parameter::Text) };

    fn write_json(&self, json: &mut Compact) -> Result<(), Error> {
        if self.is_valid() {
            json.plain(&self.to_string());
            return Ok(());
        }
        let Self { seconds, nanos } = *self;
        let problem = format_args!("{}: {self}", ParseDurationError::OutOfRange);
        plain::write(problem, json, |json| Seconds::write(seconds, nanos, json))
    }

    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<(), Error> {
        *self = plain::read(parser)?;
        Ok(())
    }
}

impl Plain for Duration {
    const EXPECTED: &'static str = "a duration such as \"1.5s\", at most 10,000 years";

    fn parse(text: &str) -> Result<Self, Error> {
        text.parse().map_err(|_| Error::invalid_value(Unexpected::Str(text), &Self::EXPECTED))
    }

    fn fields(parser: &mut Parser<'_>) -> Result<Self, Error> {
        let Seconds { seconds, nanos } = Seconds::read(parser, Self::EXPECTED)?;
        Ok(Self { seconds, nanos })
    }
}
