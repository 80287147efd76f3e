//! Numbers: integers that may be written as `1e3`, `1.0` or `"1"`, 64-bit ones as strings, and
//! floating point with its three names.

use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;

use serde::Serializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::codec::{Codec, Key};

/// The member with which serde_json passes numbers if any crate in the program enables its feature
/// `arbitrary_precision`.
const ARBITRARY_PRECISION: &str = "$serde_json::private::Number";

/// Whether serde_json uses a member of this name to pass a number. Without its feature, which alone supports
/// numbers beyond f64, it is an ordinary name.
pub(crate) fn is_arbitrary_precision(name: &str) -> bool {
    static ON: LazyLock<bool> =
        LazyLock::new(|| serde_json::from_str::<serde_json::Number>("1e400").is_ok());
    name == ARBITRARY_PRECISION && *ON
}

/// The integer types of protobuf.
pub trait Integer: Copy + Default + Ord + fmt::Display + TryFrom<i128> {
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

/// `int32`, `uint32` and similar types: numbers in JSON.
#[derive(Debug)]
pub struct Int<T>(PhantomData<T>);

impl<T: Integer + serde::Serialize> Codec for Int<T> {
    type Value = T;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(IntegerVisitor(PhantomData))
    }
}

impl<T: Integer + serde::Serialize> Key for Int<T> {
    fn parse(text: &str) -> Result<T, String> {
        integer_from_text(text)
    }
}

/// `int64`, `uint64` and similar types: strings in JSON.
#[derive(Debug)]
pub struct Long<T>(PhantomData<T>);

impl<T: Integer + itoa::Integer> Codec for Long<T> {
    type Value = T;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(*value))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(IntegerVisitor(PhantomData))
    }
}

impl<T: Integer + itoa::Integer> Key for Long<T> {
    fn parse(text: &str) -> Result<T, String> {
        integer_from_text(text)
    }
}

pub(super) struct IntegerVisitor<T>(pub(super) PhantomData<T>);

impl<'de, T: Integer> Visitor<'de> for IntegerVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::NAME)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<T, E> {
        T::try_from(value.into()).map_err(|_| E::custom(not_in_range::<T>(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<T, E> {
        T::try_from(value.into()).map_err(|_| E::custom(not_in_range::<T>(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<T, E> {
        integer_from_float(value).map_err(E::custom)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<T, E> {
        integer_from_text(value).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        integer_from_text(&arbitrary_precision(map, T::NAME)?).map_err(serde::de::Error::custom)
    }
}

fn not_in_range<T: Integer>(value: impl fmt::Display) -> String {
    format!("expected {}, found {value}", T::NAME)
}

/// Converts a whole number in range.
fn integer_from_float<T: Integer>(value: f64) -> Result<T, String> {
    // Values of 2^64 and above are out of range, and the cast below is exact for smaller ones. -2^63 is in
    // range for i64, but as an f64 it may also be a slightly smaller integer that serde_json rounded.
    let whole = value.fract() == 0.0 && value > -2f64.powi(63) && value < 2f64.powi(64);
    let integer = if whole { T::try_from(value as i128).ok() } else { None };
    integer.ok_or_else(|| not_in_range::<T>(value))
}

/// Parses a JSON number that is a whole number in range. Exact for texts of any length.
fn integer_from_text<T: Integer>(text: &str) -> Result<T, String> {
    match plain_digits(text).and_then(|value| T::try_from(value.into()).ok()) {
        Some(value) => Ok(value),
        None => integer_from_number(text),
    }
}

/// Parses at most 19 digits, which fit into a `u64`: the usual form of integers.
fn plain_digits(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 19 || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.bytes().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0'))
    })
}

/// Parses any JSON number.
#[cold]
fn integer_from_number<T: Integer>(text: &str) -> Result<T, String> {
    let error = || format!("expected {}, found \"{}\"", T::NAME, shortened(text));
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !is_json_number(text) {
        return Err(error());
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let value = text.parse::<i128>().ok();
        return value.and_then(|value| T::try_from(value).ok()).ok_or_else(error);
    }
    // The digits, and the position of the point among them after applying the exponent.
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let trimmed = all.trim_end_matches('0');
    if trimmed.is_empty() {
        return T::try_from(0).map_err(|_| error());
    }
    let exponent = exponent.parse::<i64>().map_err(|_| error())?;
    let point = i64::try_from(whole.len()).map_err(|_| error())?.saturating_add(exponent);
    let significant = i64::try_from(trimmed.len()).map_err(|_| error())?;
    // 30 digits are more than any integer type has.
    if point < significant || point - significant > 30 {
        return Err(error());
    }
    let zeros = usize::try_from(point - significant).map_err(|_| error())?;
    let sign = if text.starts_with('-') { "-" } else { "" };
    let value = format!("{sign}{trimmed}{}", "0".repeat(zeros)).parse::<i128>().ok();
    value.and_then(|value| T::try_from(value).ok()).ok_or_else(error)
}

/// Whether the text is a number in the grammar of JSON (RFC 8259, 6).
pub(super) fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// Shortens a text for an error.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 64;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns the text of a number that serde_json passes as a map with one member.
fn arbitrary_precision<'de, A: MapAccess<'de>>(
    mut map: A,
    expected: &str,
) -> Result<String, A::Error> {
    match map.next_key::<String>()? {
        Some(key) if is_arbitrary_precision(&key) => map.next_value(),
        _ => Err(serde::de::Error::custom(format!("expected {expected}, found an object"))),
    }
}

/// The floating point types of protobuf.
pub trait Real: Copy + Default + Into<f64> + serde::Serialize {
    /// What an error calls it.
    const NAME: &'static str;
    /// Narrows the value; `None` for a finite value out of range.
    fn narrow(value: f64) -> Option<Self>;
}

impl Real for f64 {
    const NAME: &'static str = "a number";

    fn narrow(value: f64) -> Option<Self> {
        Some(value)
    }
}

impl Real for f32 {
    const NAME: &'static str = "a 32-bit number";

    fn narrow(value: f64) -> Option<Self> {
        let narrow = value as Self;
        (narrow.is_finite() || !value.is_finite()).then_some(narrow)
    }
}

/// `double` and `float`: numbers in JSON, or `"NaN"`, `"Infinity"` and `"-Infinity"`.
#[derive(Debug)]
pub struct Float<T>(PhantomData<T>);

impl<T: Real> Codec for Float<T> {
    type Value = T;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        match (*value).into() {
            wide if wide.is_finite() => value.serialize(serializer),
            wide if wide.is_nan() => serializer.serialize_str("NaN"),
            wide if wide > 0.0 => serializer.serialize_str("Infinity"),
            _ => serializer.serialize_str("-Infinity"),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(FloatVisitor(PhantomData))
    }
}

struct FloatVisitor<T>(PhantomData<T>);

impl<'de, T: Real> Visitor<'de> for FloatVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::NAME)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<T, E> {
        T::narrow(value).ok_or_else(|| E::custom(format!("expected {}, found {value:e}", T::NAME)))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<T, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<T, E> {
        self.visit_f64(value as f64)
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<T, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<T, E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<T, E> {
        let number = match value {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text if is_json_number(text) => text.parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        };
        let error = || E::custom(format!("expected {}, found \"{}\"", T::NAME, shortened(value)));
        number.and_then(T::narrow).ok_or_else(error)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let text = arbitrary_precision(map, T::NAME)?;
        self.visit_str(&text)
    }
}
