//! Writes messages as compact JSON text, in fewer instructions than serde_json: looks for characters to
//! escape in eight bytes at once, and not at all in the names of fields.

use std::any::type_name;

use serde::ser::{Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Error, Result};

/// The name with which serde_json's `RawValue` asks for text and hands it over.
pub(super) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Appends a value to JSON text. It has the shapes that messages have.
pub(crate) struct Compact<'a> {
    json: &'a mut String,
    /// Whether the value is JSON text.
    is_raw: bool,
}

/// The name of a field, which needs no escapes.
pub(super) struct FieldName(pub &'static str);

impl Serialize for FieldName {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match Compact::is::<S>() {
            true => serializer.serialize_unit_struct(self.0),
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

/// Returns a value as JSON text.
pub(crate) fn to_string<T: Serialize>(value: &T) -> Result<String> {
    // The usual message needs no second allocation.
    let mut json = String::with_capacity(1024);
    value.serialize(Compact { json: &mut json, is_raw: false })?;
    Ok(json)
}

/// Whether a serializer writes the same text, only slower: that of `serde_json::to_vec` and `to_string`.
pub(crate) fn replaces<S>() -> bool {
    type_name::<S>() == type_name::<&mut serde_json::Serializer<&mut Vec<u8>>>()
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
        Some(last) => is_plain_word(last) && text.as_chunks().0.iter().all(is_plain_word),
        None => text.iter().all(|byte| !matches!(byte, ..0x20 | b'"' | b'\\')),
    }
}

/// Whether none of eight bytes is less than 0x20, `"` or `\`. Subtracting sets the highest bit of the first
/// such byte; bytes that had it before are not ASCII.
fn is_plain_word(word: &[u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let word = u64::from_le_bytes(*word);
    // The XOR makes `"` 0x20, and a space 0x22.
    let control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    (control | backslash) & !word & (ONES * 0x80) == 0
}

macro_rules! integers {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, value: $type) -> Result<()> {
            self.json.push_str(itoa::Buffer::new().format(value));
            Ok(())
        })*
    };
}

/// Refuses shapes that messages never have.
macro_rules! refused {
    ($($method:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$result> {
            Err(Error::custom(concat!("a message has no value for ", stringify!($method))))
        })*
    };
}

impl<'a> Serializer for Compact<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'a>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Open<'a>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    integers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
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
        if self.is_raw {
            self.json.push_str(text);
        } else if is_plain(text.as_bytes()) {
            write_plain(self.json, text);
        } else {
            self.json.push_str(&serde_json::to_string(text)?);
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result<()> {
        self.json.push_str("null");
        Ok(())
    }

    /// Writes a [`FieldName`].
    fn serialize_unit_struct(self, name: &'static str) -> Result<()> {
        write_plain(self.json, name);
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Open<'a>> {
        self.json.push('[');
        Ok(Open { json: self.json, is_empty: true, end: ']' })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Open<'a>> {
        self.json.push('{');
        Ok(Open { json: self.json, is_empty: true, end: '}' })
    }

    refused! {
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(Compact { json: self.json, is_raw: name == RAW_VALUE })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<()> {
        Err(Error::custom("a message has no enum with values"))
    }
}

/// A list or an object that is being written.
pub(crate) struct Open<'a> {
    json: &'a mut String,
    is_empty: bool,
    end: char,
}

impl Open<'_> {
    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_empty) {
            self.json.push(',');
        }
    }

    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(Compact { json: self.json, is_raw: false })
    }

    fn close(self) -> Result<()> {
        self.json.push(self.end);
        Ok(())
    }
}

impl SerializeSeq for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.separate();
        self.write(value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

impl SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<()> {
        self.separate();
        self.write(name)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.json.push(':');
        self.write(value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}
