//! Reads a value of any format as JSON text, and writes JSON text to any format.
//!
//! Only serde_json passes text on unchanged, to and from `RawValue`, which it recognizes by a name. To every other
//! format, and to the buffers in which serde stores input for `flatten`, `untagged` and tagged enums, that is an
//! ordinary name: they cannot read a `RawValue`, and would write an object with that name. Therefore they get and return
//! the value itself.

use std::any::type_name;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::compact::Compact;
use super::depth::MAX_DEPTH;
use super::number::{finite, out_of_range};
use super::parser::Parser;
use super::transfer::{Name, Transfer};

/// The name with which serde_json's `RawValue` asks for text and hands it over.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Reads a value as JSON text, which borrows from the input if that is such text. Where several values share the
/// members of an object, by `#[serde(flatten)]`, takes those of these names.
pub(super) fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
    names: Option<&'static [&'static str]>,
) -> Result<Cow<'de, str>, D::Error> {
    let shares = type_name::<D>().contains("FlatMapDeserializer");
    match names.filter(|_| shares) {
        Some(names) => deserializer.deserialize_struct("", names, AsText),
        None => deserializer.deserialize_newtype_struct(RAW_VALUE, AsText),
    }
}

/// Takes a value as text.
struct AsText;

/// Returns the text that a transfer writes.
fn transferred<E: Error>(
    read: impl FnOnce(Transfer<'_>) -> Result<(), E>,
) -> Result<Cow<'static, str>, E> {
    let mut json = Compact::default();
    read(Transfer::new(&mut json, MAX_DEPTH))?;
    Ok(Cow::Owned(json.into_string()))
}

macro_rules! values {
    ($($visit:ident($($value:ident: $type:ty)?))*) => {$(
        fn $visit<E: Error>(self, $($value: $type)?) -> Result<Cow<'de, str>, E> {
            transferred(|transfer| transfer.$visit($($value)?))
        }
    )*};
}

impl<'de> Visitor<'de> for AsText {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that JSON has")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        transferred(|transfer| deserializer.deserialize_any(transfer))
    }

    // Some deserializers ignore the request and visit with what they have.
    values! {
        visit_bool(value: bool) visit_i64(value: i64) visit_i128(value: i128)
        visit_u64(value: u64) visit_u128(value: u128) visit_f64(value: f64)
        visit_str(value: &str) visit_none() visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        transferred(|transfer| transfer.visit_seq(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let first = map.next_key::<Name>()?;
        if first.as_ref().is_some_and(|Name(name)| name == RAW_VALUE) {
            return map.next_value().map(|Handed(text)| text);
        }
        transferred(|transfer| transfer.object(first, map))
    }
}

/// The text that serde_json hands over.
#[derive(Deserialize)]
#[serde(transparent)]
struct Handed<'a>(#[serde(borrow)] Cow<'a, str>);

/// Writes JSON text as a value.
pub(super) fn write<S: Serializer>(json: &str, serializer: S) -> Result<S::Ok, S::Error> {
    // The serializers of `serde_json::to_vec` and `to_string` would write this text.
    if type_name::<S>() == type_name::<&mut serde_json::Serializer<&mut Vec<u8>>>() {
        return Text(json).serialize(serializer);
    }
    Value::new(&mut Parser::new(json)).serialize(serializer)
}

/// JSON text for one of serde_json's serializers. A `RawValue` would be parsed to make it.
struct Text<'a>(&'a str);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, self.0)?;
        raw.end()
    }
}

/// Whether a serializer is one of serde_json's own, which alone recognize a `RawValue`. A serializer that wraps one
/// of them gets values as other formats do.
fn is_serde_json<S>() -> bool {
    let name = type_name::<S>();
    name.starts_with("&mut serde_json::ser::Serializer<")
        || name == "serde_json::value::ser::Serializer"
}

/// The next value of valid JSON text, which is read while it is written.
struct Value<'a, 'de>(Cell<Option<&'a mut Parser<'de>>>);

impl<'a, 'de> Value<'a, 'de> {
    fn new(parser: &'a mut Parser<'de>) -> Self {
        Self(Cell::new(Some(parser)))
    }
}

impl Serialize for Value<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(parser) = self.0.take() else {
            return Err(S::Error::custom("a format must write each value once"));
        };
        match parser.peek() {
            Some(b'{') => write_object(parser, serializer),
            Some(b'[') => write_list(parser, serializer),
            Some(b'"') => {
                let text = parser.string(&"a string").map_err(S::Error::custom)?;
                serializer.serialize_str(&text)
            }
            Some(b't' | b'f') => {
                serializer.serialize_bool(parser.bool().map_err(S::Error::custom)?)
            }
            Some(b'-' | b'0'..=b'9') => {
                write_number(parser.number().map_err(S::Error::custom)?, serializer)
            }
            _ => {
                parser.value().map_err(S::Error::custom)?;
                serializer.serialize_unit()
            }
        }
    }
}

fn write_object<S: Serializer>(parser: &mut Parser<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    // Of unknown length: formats that would write a struct without names, and could not read it again,
    // then write names or fail at once.
    let mut map = serializer.serialize_map(None)?;
    let mut written = Ok(());
    let read = parser.object(&"an object", |object| {
        while written.is_ok()
            && let Some(name) = object.next_name()?
        {
            written = map.serialize_entry(&*name, &Value::new(object.value()));
        }
        stop_at(&written)
    });
    written?;
    read.map_err(S::Error::custom)?;
    map.end()
}

fn write_list<S: Serializer>(parser: &mut Parser<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(None)?;
    let mut written = Ok(());
    let read = parser.list(&"a list", |elements| {
        while written.is_ok()
            && let Some(parser) = elements.next()?
        {
            written = list.serialize_element(&Value::new(parser));
        }
        stop_at(&written)
    });
    written?;
    read.map_err(S::Error::custom)?;
    list.end()
}

/// Ends the reading of a list or object after an error of the serializer, which is reported instead.
fn stop_at<E>(written: &Result<(), E>) -> Result<(), serde_json::Error> {
    match written {
        Ok(()) => Ok(()),
        Err(_) => Err(Error::custom("the value could not be written")),
    }
}

/// Writes a number of any length: exactly to JSON, otherwise as precisely as possible.
fn write_number<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if is_serde_json::<S>() {
        Text(text).serialize(serializer)
    } else if let Ok(value) = text.parse() {
        serializer.serialize_u64(value)
    } else if let Some(value) = text.parse().ok().filter(|value| *value != 0) {
        serializer.serialize_i64(value)
    } else {
        let value = finite(text).ok_or_else(|| S::Error::custom(out_of_range(text)))?;
        serializer.serialize_f64(value)
    }
}
