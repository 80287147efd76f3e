//! Writes messages as compact JSON text, in fewer instructions than serde_json: looks for characters to
//! escape in eight bytes at once, and not at all in the names of fields.

use std::any::type_name;

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Result};

use super::message::JsonMessage;

/// The name with which serde_json's `RawValue` asks for text and hands it over.
pub(super) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// The name with which a [`FieldName`] hands itself over.
const FIELD_NAME: &str = "$eset_protect::FieldName";

/// Appends a value to JSON text.
pub(crate) struct Compact<'a> {
    json: &'a mut String,
    text: TextForm,
}

/// What a string is.
#[derive(Clone, Copy)]
enum TextForm {
    Any,
    /// Text that needs no escapes.
    Plain,
    /// JSON.
    Json,
}

/// The name of a field, which needs no escapes.
pub(super) struct FieldName(pub &'static str);

impl Serialize for FieldName {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match Compact::is::<S>() {
            true => serializer.serialize_newtype_struct(FIELD_NAME, self.0),
            false => serializer.serialize_str(self.0),
        }
    }
}

impl Compact<'_> {
    /// Whether a serializer is this one.
    pub(super) fn is<S>() -> bool {
        type_name::<S>() == type_name::<Compact<'_>>()
    }
}

impl<'a> Compact<'a> {
    /// Begins the object of an enum's variant with several values.
    fn variant(self, name: &'static str, begin: &str, end: &'static str) -> Result<Open<'a>> {
        let mut object = self.serialize_map(None)?;
        object.serialize_key(name)?;
        object.json.push_str(begin);
        Ok(Open { is_empty: true, end, ..object })
    }
}

/// Returns the JSON text of a message.
pub(crate) fn to_string<M: JsonMessage>(message: &M) -> Result<String> {
    written(|compact| message.write_json(compact))
}

/// Returns the JSON text that a function writes.
pub(crate) fn written(write: impl FnOnce(Compact<'_>) -> Result<()>) -> Result<String> {
    // The usual message needs no second allocation.
    let mut json = String::with_capacity(1024);
    write(Compact { json: &mut json, text: TextForm::Any })?;
    Ok(json)
}

/// Whether a serializer would write this text: ours, and that of `serde_json::to_vec` and `to_string`.
pub(super) fn takes_text<S>() -> bool {
    Compact::is::<S>()
        || type_name::<S>() == type_name::<&mut serde_json::Serializer<&mut Vec<u8>>>()
}

fn write_plain(json: &mut String, text: &str) {
    json.reserve(text.len() + 2);
    json.push('"');
    json.push_str(text);
    json.push('"');
}

/// Whether a JSON string contains the text unchanged.
fn is_plain(text: &[u8]) -> bool {
    match text.last_chunk() {
        // The last word overlaps the one before.
        Some(last) => {
            special_bytes(*last) == 0
                && text.as_chunks().0.iter().all(|word| special_bytes(*word) == 0)
        }
        None => !text.iter().any(is_special),
    }
}

/// Whether a string cannot contain a byte as it is: less than 0x20, `"` or `\`.
#[inline]
pub(super) fn is_special(byte: &u8) -> bool {
    matches!(byte, ..0x20 | b'"' | b'\\')
}

/// Returns the highest bit of the first of eight bytes that is [special](is_special), and maybe bits after it; 0 if
/// there is none. Subtracting sets that bit; bytes that had it before are not ASCII.
#[inline]
pub(super) fn special_bytes(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let word = u64::from_le_bytes(word);
    // The XOR makes `"` 0x20, and a space 0x22.
    let control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    (control | backslash) & !word & (ONES * 0x80)
}

macro_rules! integers {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, value: $type) -> Result<()> {
            self.json.push_str(itoa::Buffer::new().format(value));
            Ok(())
        })*
    };
}

impl<'a> Serializer for Compact<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'a>;
    type SerializeTuple = Open<'a>;
    type SerializeTupleStruct = Open<'a>;
    type SerializeTupleVariant = Open<'a>;
    type SerializeMap = Open<'a>;
    type SerializeStruct = Open<'a>;
    type SerializeStructVariant = Open<'a>;

    integers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.json.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<()> {
        self.json.push_str(&serde_json::to_string(&value)?);
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<()> {
        self.json.push_str(&serde_json::to_string(&value)?);
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<()> {
        match self.text {
            TextForm::Json => self.json.push_str(text),
            TextForm::Plain => write_plain(self.json, text),
            TextForm::Any if is_plain(text.as_bytes()) => write_plain(self.json, text),
            TextForm::Any => self.json.push_str(&serde_json::to_string(text)?),
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result<()> {
        self.json.push_str("null");
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Open<'a>> {
        self.json.push('[');
        Ok(Open { json: self.json, is_empty: true, end: "]" })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Open<'a>> {
        self.json.push('{');
        Ok(Open { json: self.json, is_empty: true, end: "}" })
    }

    // Messages have none of these shapes; types of the user's own may, in fields of messages.

    fn serialize_char(self, value: char) -> Result<()> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<()> {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Open<'a>> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _len: usize) -> Result<Open<'a>> {
        self.serialize_seq(None)
    }

    fn serialize_struct(self, _: &'static str, _len: usize) -> Result<Open<'a>> {
        self.serialize_map(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Open<'a>> {
        self.variant(variant, ":[", "]}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Open<'a>> {
        self.variant(variant, ":{", "}}")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        let mut object = self.serialize_map(None)?;
        object.serialize_entry(variant, value)?;
        object.close()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        let text = match name {
            RAW_VALUE => TextForm::Json,
            FIELD_NAME => TextForm::Plain,
            _ => TextForm::Any,
        };
        value.serialize(Compact { json: self.json, text })
    }
}

/// A list or an object that is being written.
pub(crate) struct Open<'a> {
    json: &'a mut String,
    is_empty: bool,
    end: &'static str,
}

impl Open<'_> {
    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_empty) {
            self.json.push(',');
        }
    }

    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(Compact { json: self.json, text: TextForm::Any })
    }

    fn close(self) -> Result<()> {
        self.json.push_str(self.end);
        Ok(())
    }
}

/// Implements a trait for a list of values.
macro_rules! lists {
    ($($of:ident::$write:ident)*) => {
        $(impl $of for Open<'_> {
            type Ok = ();
            type Error = Error;

            fn $write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.separate();
                self.write(value)
            }

            fn end(self) -> Result<()> {
                self.close()
            }
        })*
    };
}

lists! {
    SerializeSeq::serialize_element SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field SerializeTupleVariant::serialize_field
}

/// Implements a trait for an object of named fields.
macro_rules! objects {
    ($($of:ident)*) => {
        $(impl $of for Open<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T>(&mut self, name: &'static str, value: &T) -> Result<()>
            where
                T: Serialize + ?Sized,
            {
                SerializeMap::serialize_entry(self, name, value)
            }

            fn end(self) -> Result<()> {
                self.close()
            }
        })*
    };
}

objects! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<()> {
        self.separate();
        let start = self.json.len();
        self.write(name)?;
        // Keys of messages are strings; those of the user's own types may be numbers.
        match self.json.as_bytes().get(start) {
            Some(b'"') => {}
            Some(b'[' | b'{' | b'n') | None => return Err(Error::custom("a key must be a string")),
            Some(_) => {
                self.json.insert(start, '"');
                self.json.push('"');
            }
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.json.push(':');
        self.write(value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}
