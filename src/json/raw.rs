//! Reads JSON of unknown type from any format as text, and writes such text to any format.
//!
//! Only serde_json, and this crate's parser and serializer, pass text on unchanged, to and from `RawValue`, which they
//! recognize by a name. To every other format, and to the buffers in which serde stores input for `flatten`, `untagged` and tagged
//! enums, that is an ordinary name: they cannot read a `RawValue`, and would write an object with that name.
//! Therefore they get and return the value itself.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, Serialize, Serializer};
use serde_json::value::RawValue;

use super::compact::{self, RAW_VALUE};
use super::depth::MAX_DEPTH;
use super::parser::Parser;
use super::text::Text;
use super::transfer::{Name, Transfer};

/// JSON text, written as a value of the target format.
pub(crate) struct Json<'a>(pub &'a RawValue);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self.0.get(), serializer)
    }
}

/// Reads the value of a member as JSON text. Numbers are as exact as the source preserved them.
pub(crate) fn take<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Box<RawValue>, A::Error> {
    map.next_value_seed(Raw::<Taken>(PhantomData))
}

/// Skips the value of a member. Even then, serde_json requires valid Unicode.
pub(crate) fn pass_over<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value_seed(Raw::<PassedOver>(PhantomData))
}

/// Writes JSON text as a value.
pub(super) fn write<S: Serializer>(json: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if compact::takes_text::<S>() {
        return Text(json).serialize(serializer);
    }
    // The parser itself refuses text that is nested too deeply.
    Parser::with_exact_numbers(json)
        .deserialize_any(Transfer::new(serializer, usize::MAX))
        .map_err(ser::Error::custom)
}

/// Reads a value as JSON text, which borrows from the input if that is such text. Where several values share the
/// members of an object, by `#[serde(flatten)]`, takes those of these names.
pub(super) fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
    names: Option<&'static [&'static str]>,
) -> Result<Cow<'de, str>, D::Error> {
    let shares = std::any::type_name::<D>().contains("FlatMapDeserializer");
    match names.filter(|_| shares) {
        Some(names) => deserializer.deserialize_struct("", names, Raw::<AsText>(PhantomData)),
        None => Raw::<AsText>(PhantomData).deserialize(deserializer),
    }
}

/// What to do with a value.
trait Fate<'de> {
    type Value;

    /// Handles a value that is already JSON text.
    fn text(text: Cow<'de, str>) -> Result<Self::Value, String>;

    /// Handles a value that can be written as JSON.
    fn value<E: Error>(write: impl FnOnce(ToJson<'_>) -> Result<(), E>) -> Result<Self::Value, E>;

    /// Reads the value.
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error> {
        Self::value(|visitor| deserializer.deserialize_any(visitor))
    }
}

type ToJson<'a> = Transfer<&'a mut serde_json::Serializer<Vec<u8>>>;

enum AsText {}

impl<'de> Fate<'de> for AsText {
    type Value = Cow<'de, str>;

    fn text(text: Cow<'de, str>) -> Result<Self::Value, String> {
        Ok(text)
    }

    fn value<E: Error>(write: impl FnOnce(ToJson<'_>) -> Result<(), E>) -> Result<Self::Value, E> {
        let mut serializer = serde_json::Serializer::new(Vec::new());
        write(Transfer::new(&mut serializer, MAX_DEPTH))?;
        String::from_utf8(serializer.into_inner()).map(Cow::Owned).map_err(E::custom)
    }
}

enum Taken {}

impl<'de> Fate<'de> for Taken {
    type Value = Box<RawValue>;

    fn text(text: Cow<'de, str>) -> Result<Self::Value, String> {
        check_escapes(&text)?;
        // Formats other than serde_json's may use its name for something else.
        RawValue::from_string(text.into_owned()).map_err(|error| error.to_string())
    }

    fn value<E: Error>(write: impl FnOnce(ToJson<'_>) -> Result<(), E>) -> Result<Self::Value, E> {
        AsText::value(write).and_then(|text| Self::text(text).map_err(E::custom))
    }
}

enum PassedOver {}

impl<'de> Fate<'de> for PassedOver {
    type Value = ();

    fn text(text: Cow<'de, str>) -> Result<(), String> {
        check_escapes(&text)
    }

    fn value<E: Error>(_: impl FnOnce(ToJson<'_>) -> Result<(), E>) -> Result<(), E> {
        Ok(())
    }

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_ignored_any(IgnoredAny).map(drop)
    }
}

struct Raw<F>(PhantomData<F>);

impl<'de, F: Fate<'de>> DeserializeSeed<'de> for Raw<F> {
    type Value = F::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<F::Value, D::Error> {
        deserializer.deserialize_newtype_struct(RAW_VALUE, self)
    }
}

macro_rules! values {
    ($($visit:ident($($value:ident: $type:ty)?))*) => {$(
        fn $visit<E: Error>(self, $($value: $type)?) -> Result<F::Value, E> {
            F::value(|visitor| visitor.$visit($($value)?))
        }
    )*};
}

impl<'de, F: Fate<'de>> Visitor<'de> for Raw<F> {
    type Value = F::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that JSON has")
    }

    fn visit_newtype_struct<D>(self, deserializer: D) -> Result<F::Value, D::Error>
    where
        D: Deserializer<'de>,
    {
        F::read(deserializer)
    }

    // Some deserializers ignore the request and visit with what they have.
    values! {
        visit_bool(value: bool) visit_i64(value: i64) visit_i128(value: i128)
        visit_u64(value: u64) visit_u128(value: u128) visit_f64(value: f64)
        visit_str(value: &str) visit_none() visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<F::Value, A::Error> {
        F::value(|visitor| visitor.visit_seq(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<F::Value, A::Error> {
        let first = map.next_key::<Name>()?;
        if first.as_ref().is_some_and(|Name(name)| name == RAW_VALUE) {
            return map.next_value_seed(Handed::<F>(PhantomData));
        }
        F::value(|visitor| visitor.object(first, map))
    }
}

/// The text that serde_json hands over.
struct Handed<F>(PhantomData<F>);

impl<'de, F: Fate<'de>> DeserializeSeed<'de> for Handed<F> {
    type Value = F::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<F::Value, D::Error> {
        deserializer.deserialize_string(self)
    }
}

impl<'de, F: Fate<'de>> Visitor<'de> for Handed<F> {
    type Value = F::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<F::Value, E> {
        F::text(Cow::Borrowed(text)).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<F::Value, E> {
        F::text(Cow::Owned(text.to_owned())).map_err(E::custom)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<F::Value, E> {
        F::text(Cow::Owned(text)).map_err(E::custom)
    }
}

/// Refuses lone halves of surrogate pairs, which serde_json accepts in text that it does not parse.
pub(crate) fn check_escapes(json: &str) -> Result<(), String> {
    // The end of the last escape if it was the first half of a pair.
    let mut half = None;
    let mut from = 0;
    while let Some(at) = json[from..].find('\\').map(|found| from + found) {
        let digits = json.get(at + 2..at + 6).filter(|_| json[at + 1..].starts_with('u'));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let is_second = unit.is_some_and(|unit| (0xDC00..=0xDFFF).contains(&unit));
        if half != is_second.then_some(at) {
            half = half.or(Some(at + 6));
            break;
        }
        from = at + if unit.is_some() { 6 } else { 2 };
        half = unit.filter(|unit| (0xD800..=0xDBFF).contains(unit)).map(|_| from);
    }
    match half {
        Some(end) => Err(format!("{} is half of a character", &json[end - 6..end])),
        None => Ok(()),
    }
}
