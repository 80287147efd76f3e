//! `google.protobuf.Timestamp`: a point in time; in JSON, an RFC 3339 string.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;
use serde::de::Error as _;
use serde_json::Error;

use super::plain::{self, Plain, Seconds};
use crate::json::compact::Compact;
use crate::json::message::JsonMessage;
use crate::json::parser::Parser;
use crate::json::schema::{JsonForm, Parameter};

/// 0001-01-01T00:00:00Z.
const MIN_SECONDS: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const MAX_SECONDS: i64 = 253_402_300_799;
const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i32 = 1_000_000_000;

/// A point in time: seconds and nanoseconds since the Unix epoch, in UTC.
///
/// In JSON a string such as `"2030-01-01T00:00:00Z"` with 0, 3, 6 or 9 decimal places. Offsets such as
/// `+02:00` are accepted too. The range is the years 1 to 9999; values outside it have no such form, see
/// [`protojson`](crate::protojson#what-has-no-json-form).
///
/// ```
/// use eset_protect::wkt::Timestamp;
///
/// let time: Timestamp = "2030-01-01T02:00:00.5+02:00".parse()?;
/// assert_eq!(time.to_string(), "2030-01-01T00:00:00.500Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Message)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z, negative before it.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds, 0 to 999,999,999; they count forwards even before the epoch.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

well_known_names! { Timestamp }

impl Timestamp {
    /// Whether the value is in the valid range: the years 1 to 9999, and less than a second of nanoseconds.
    pub fn is_valid(&self) -> bool {
        (MIN_SECONDS..=MAX_SECONDS).contains(&self.seconds)
            && (0..NANOS_PER_SECOND).contains(&self.nanos)
    }

    /// Returns the valid time that is nearest.
    pub(crate) fn nearest_valid(self) -> Self {
        let carried = i64::from(self.nanos.div_euclid(NANOS_PER_SECOND));
        let seconds = self.seconds.saturating_add(carried);
        let nanos = self.nanos.rem_euclid(NANOS_PER_SECOND);
        let (first, last) = (
            Self { seconds: MIN_SECONDS, nanos: 0 },
            Self { seconds: MAX_SECONDS, nanos: NANOS_PER_SECOND - 1 },
        );
        Self { seconds, nanos }.clamp(first, last)
    }

    pub(super) fn validated(self) -> Result<Self, ParseTimestampError> {
        if self.is_valid() { Ok(self) } else { Err(ParseTimestampError::OutOfRange) }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let nanos = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos().cast_signed(),
            Err(error) => -error.duration().as_nanos().cast_signed(),
        };
        let (seconds, nanos) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
        // No system has such a time beyond them.
        let seconds = seconds.clamp(i64::MIN.into(), i64::MAX.into());
        Self { seconds: seconds as i64, nanos: nanos as i32 }
    }
}

impl From<prost_types::Timestamp> for Timestamp {
    fn from(time: prost_types::Timestamp) -> Self {
        Self { seconds: time.seconds, nanos: time.nanos }
    }
}

impl From<Timestamp> for prost_types::Timestamp {
    fn from(time: Timestamp) -> Self {
        Self { seconds: time.seconds, nanos: time.nanos }
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = ParseTimestampError;

    fn try_from(time: Timestamp) -> Result<Self, Self::Error> {
        let time = time.validated()?;
        prost_types::Timestamp::from(time)
            .try_into()
            .map_err(|_| ParseTimestampError::Unrepresentable)
    }
}

impl fmt::Display for Timestamp {
    /// Writes the JSON form. Values out of range are written as their two numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_valid() {
            return write!(f, "{} s {} ns since 1970-01-01T00:00:00Z", self.seconds, self.nanos);
        }
        f.write_str(self.text(&mut [0; LONGEST]))
    }
}

/// The length of the JSON form with nine decimal places.
const LONGEST: usize = "2030-01-01T00:00:00.000000000Z".len();

impl Timestamp {
    /// Writes the JSON form of a valid value. Formatting with `write!` would take a fifth of the time of
    /// writing a list of tasks.
    fn text<'a>(&self, text: &'a mut [u8; LONGEST]) -> &'a str {
        fn digits<const N: usize>(mut number: u32) -> [u8; N] {
            let mut digits = [b'0'; N];
            for digit in digits.iter_mut().rev() {
                // A remainder of ten fits into a byte.
                *digit += (number % 10) as u8;
                number /= 10;
            }
            digits
        }
        *text = *b"0000-00-00T00:00:00.000000000Z";
        let (year, month, day) = date(self.seconds.div_euclid(SECONDS_PER_DAY));
        let second = self.seconds.rem_euclid(SECONDS_PER_DAY) as u32;
        text[0..4].copy_from_slice(&digits::<4>(year));
        text[5..7].copy_from_slice(&digits::<2>(month));
        text[8..10].copy_from_slice(&digits::<2>(day));
        text[11..13].copy_from_slice(&digits::<2>(second / 3600));
        text[14..16].copy_from_slice(&digits::<2>(second / 60 % 60));
        text[17..19].copy_from_slice(&digits::<2>(second % 60));
        let nanos = self.nanos as u32;
        if nanos > 0 {
            text[20..29].copy_from_slice(&digits::<9>(nanos));
        }
        let end = match nanos {
            0 => 19,
            nanos if nanos.is_multiple_of(1_000_000) => 23,
            nanos if nanos.is_multiple_of(1000) => 26,
            _ => 29,
        };
        text[end] = b'Z';
        str::from_utf8(&text[..=end]).unwrap_or_default()
    }
}

/// Converts days since the epoch, in the years 1 to 9999, to year, month and day in the Gregorian calendar.
fn date(day: i64) -> (u32, u32, u32) {
    // Counts from 0000-03-01, so that leap days end a year. Eras are 400 years.
    let day = (day + 719_468) as u32;
    let era = day / 146_097;
    let of_era = day % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// The reason why a text or a time of another type is not a [`Timestamp`], or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseTimestampError {
    /// The text does not have the form of RFC 3339 with capital `T` and `Z`.
    Format,
    /// The date or time of day does not exist.
    NoSuchTime,
    /// The time is before the year 1 or after the year 9999.
    OutOfRange,
    /// The type to convert to does not have the time.
    Unrepresentable,
}

impl fmt::Display for ParseTimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "expected a time such as 2030-01-01T00:00:00Z (RFC 3339)",
            Self::NoSuchTime => "there is no such date or time of day",
            Self::OutOfRange => "the time is outside the years 1 to 9999",
            Self::Unrepresentable => "the other type cannot hold the time",
        })
    }
}

impl std::error::Error for ParseTimestampError {}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use ParseTimestampError::Format;
        #[rustfmt::skip]
        let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2, rest @ ..] =
            text.as_bytes()
        else {
            return Err(Format);
        };
        let two = |tens: &u8, ones: &u8| number(&[*tens, *ones]).map(|number| number as u8);
        let (year, month, day) = (number(&[*y1, *y2, *y3, *y4])?, two(mo1, mo2)?, two(d1, d2)?);
        let (hour, minute, second) = (two(h1, h2)?, two(mi1, mi2)?, two(s1, s2)?);
        let (nanos, zone) = match rest {
            [b'.', rest @ ..] => fraction(rest)?,
            _ => (0, rest),
        };
        let offset = offset(zone)?;
        let utc = prost_types::Timestamp::date_time(year, month, day, hour, minute, second)
            .map_err(|_| ParseTimestampError::NoSuchTime)?;
        Self { seconds: utc.seconds - offset, nanos }.validated()
    }
}

fn number(digits: &[u8]) -> Result<i64, ParseTimestampError> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Ok(number * 10 + i64::from(digit - b'0')),
        _ => Err(ParseTimestampError::Format),
    })
}

/// Parses one to nine decimal places as nanoseconds, and returns the text after them.
fn fraction(text: &[u8]) -> Result<(i32, &[u8]), ParseTimestampError> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    let missing = u32::try_from(length).ok().and_then(|length| 9_u32.checked_sub(length));
    let missing = missing.filter(|missing| *missing < 9).ok_or(ParseTimestampError::Format)?;
    let nanos = i32::try_from(number(digits)? * 10_i64.pow(missing));
    Ok((nanos.map_err(|_| ParseTimestampError::Format)?, rest))
}

/// Parses the seconds east of UTC at the end of the text.
fn offset(zone: &[u8]) -> Result<i64, ParseTimestampError> {
    let (sign, h1, h2, m1, m2) = match zone {
        [b'Z'] => return Ok(0),
        [b'+', h1, h2, b':', m1, m2] => (1, h1, h2, m1, m2),
        [b'-', h1, h2, b':', m1, m2] => (-1, h1, h2, m1, m2),
        _ => return Err(ParseTimestampError::Format),
    };
    let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    if hours > 23 || minutes > 59 {
        return Err(ParseTimestampError::NoSuchTime);
    }
    Ok(sign * (hours * 3600 + minutes * 60))
}

impl JsonMessage for Timestamp {
    const FORM: JsonForm = JsonForm::WellKnown { last_field: 2, parameter: Some(Parameter::Text) };

    fn write_json(&self, json: &mut Compact) -> Result<(), Error> {
        if self.is_valid() {
            json.plain(self.text(&mut [0; LONGEST]));
            return Ok(());
        }
        let problem = format_args!("{}: {self}", ParseTimestampError::OutOfRange);
        plain::write(problem, json, |json| Seconds::write(self.seconds, self.nanos, json))
    }

    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<(), Error> {
        *self = plain::read(parser)?;
        Ok(())
    }
}

impl Plain for Timestamp {
    const EXPECTED: &'static str = "a time such as \"2030-01-01T00:00:00Z\" (RFC 3339)";

    fn parse(text: &str) -> Result<Self, Error> {
        text.parse().map_err(|error| Error::custom(format_args!("{error}, found {text:?}")))
    }

    fn fields(parser: &mut Parser<'_>) -> Result<Self, Error> {
        let Seconds { seconds, nanos } = Seconds::read(parser, Self::EXPECTED)?;
        Ok(Self { seconds, nanos })
    }
}
