//! Numbers: integers that may be written as `1e3`, `1.0` or `"1"`, 64-bit ones as strings, and
//! floating point with its three names.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Error as _;
use serde_json::Error;

use super::codec::{Codec, Key};
use super::compact::Compact;
use super::number::{is_json_number, out_of_range, shortened, whole};
use super::parser::Parser;

/// The integer types of protobuf.
pub trait Integer: Copy + Default + Ord + fmt::Display + TryFrom<i128> + itoa::Integer {
    /// What an error calls it.
    const NAME: &'static str;
}

impl Integer for i32 {
    const NAME: &'static str = "a 32-bit integer";
}
impl Integer for u32 {
    const NAME: &'static str = "an unsigned 32-bit integer";
}
impl Integer for i64 {
    const NAME: &'static str = "a 64-bit integer";
}
impl Integer for u64 {
    const NAME: &'static str = "an unsigned 64-bit integer";
}

/// An integer type: `int32`, `uint32` and similar ones, numbers in JSON, or [`Long`].
#[derive(Debug)]
pub struct Int<T, const IS_QUOTED: bool = false>(PhantomData<T>);

/// `int64`, `uint64` and similar types: strings in JSON.
pub type Long<T> = Int<T, true>;

impl<T: Integer, const IS_QUOTED: bool> Codec for Int<T, IS_QUOTED> {
    type Value = T;

    fn write(value: &T, json: &mut Compact) -> Result<(), Error> {
        match IS_QUOTED {
            true => json.plain(itoa::Buffer::new().format(*value)),
            false => json.integer(*value),
        }
        Ok(())
    }

    fn read(parser: &mut Parser<'_>, value: &mut T) -> Result<(), Error> {
        *value = read_integer(parser)?;
        Ok(())
    }
}

impl<T: Integer, const IS_QUOTED: bool> Key for Int<T, IS_QUOTED> {
    fn parse(text: &str) -> Result<T, String> {
        integer_from_text(text)
    }
}

pub(super) fn read_integer<T: Integer>(parser: &mut Parser<'_>) -> Result<T, Error> {
    match parser.peek() {
        Some(b'"') => integer_from_text(&parser.string(&T::NAME)?).map_err(Error::custom),
        Some(b'-' | b'0'..=b'9') => {
            let number = parser.number()?;
            of_number(number).ok_or_else(|| Error::custom(expected(T::NAME, &shortened(number))))
        }
        _ => Err(parser.invalid_type(&T::NAME)),
    }
}

/// Parses the text of a string that is a whole number in range.
pub(super) fn integer_from_text<T: Integer>(text: &str) -> Result<T, String> {
    of_number(text).ok_or_else(|| expected_not_text(T::NAME, text))
}

/// Parses a JSON number that is a whole number in range.
fn of_number<T: Integer>(text: &str) -> Option<T> {
    whole(text).and_then(|value| T::try_from(value).ok())
}

#[cold]
fn expected(what: &str, found: &str) -> String {
    format!("expected {what}, found {found}")
}

#[cold]
fn expected_not_text(what: &str, text: &str) -> String {
    expected(what, &format!("\"{}\"", shortened(text)))
}

/// The floating point types of protobuf.
pub trait Real: Copy + Default + Into<f64> + FromStr + serde::Serialize {
    /// What an error calls it.
    const NAME: &'static str;
}

impl Real for f64 {
    const NAME: &'static str = "a number";
}

impl Real for f32 {
    const NAME: &'static str = "a 32-bit number";
}

/// `double` and `float`: numbers in JSON, or `"NaN"`, `"Infinity"` and `"-Infinity"`.
#[derive(Debug)]
pub struct Float<T>(PhantomData<T>);

impl<T: Real> Codec for Float<T> {
    type Value = T;

    fn write(value: &T, json: &mut Compact) -> Result<(), Error> {
        match (*value).into() {
            wide if wide.is_finite() => json.foreign(value)?,
            wide if wide.is_nan() => json.plain("NaN"),
            wide if wide > 0.0 => json.plain("Infinity"),
            _ => json.plain("-Infinity"),
        }
        Ok(())
    }

    fn read(parser: &mut Parser<'_>, value: &mut T) -> Result<(), Error> {
        *value = match parser.peek() {
            Some(b'"') => real_from_text(&parser.string(&T::NAME)?)?,
            Some(b'-' | b'0'..=b'9') => real(parser.number()?)?,
            _ => return Err(parser.invalid_type(&T::NAME)),
        };
        Ok(())
    }
}

/// Parses the text of a string that is a number in range, or the name of one that JSON does not have.
fn real_from_text<T: Real>(text: &str) -> Result<T, Error> {
    let named = match text {
        "NaN" | "Infinity" | "-Infinity" => text.parse().ok(),
        text if is_json_number(text) => return real(text),
        _ => None,
    };
    named.ok_or_else(|| Error::custom(expected_not_text(T::NAME, text)))
}

/// Parses a JSON number in range. By way of an `f64`, an `f32` would be rounded twice.
fn real<T: Real>(text: &str) -> Result<T, Error> {
    let number = text.parse().ok().filter(|number: &T| (*number).into().is_finite());
    number.ok_or_else(|| Error::custom(out_of_range(text)))
}
