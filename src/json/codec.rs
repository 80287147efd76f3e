//! The JSON form of each kind of field.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::message::JsonMessage;

/// Writes and reads fields of one kind. The types that implement it are markers for generated code and have
/// no values.
pub trait Codec {
    /// The type in the generated struct.
    type Value;

    /// Whether reading a value can find members or names that the schema does not have.
    const PRESERVES: bool = false;

    /// Returns the value that `null` means, if it is a value: only `google.protobuf.Value` has one.
    fn null() -> Option<Self::Value> {
        None
    }

    /// Writes a value.
    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads a value that is not `null`.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error>;
}

/// A value to serialize with a codec.
pub(super) struct As<'a, C: Codec>(pub(super) &'a C::Value);

impl<C: Codec> Serialize for As<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        C::write(self.0, serializer)
    }
}

/// Reads with a codec; `null` becomes `None` unless the codec has a value for it.
pub(super) struct Nullable<C>(pub(super) PhantomData<C>);

impl<'de, C: Codec> DeserializeSeed<'de> for Nullable<C> {
    type Value = Option<C::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, C: Codec> Visitor<'de> for Nullable<C> {
    type Value = Option<C::Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value or null")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(C::null())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(C::null())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        C::read(deserializer).map(Some)
    }
}

/// Reads an element of a list or map, where `null` is an error.
pub(super) struct Element<C>(pub(super) PhantomData<C>);

impl<'de, C: Codec> DeserializeSeed<'de> for Element<C> {
    type Value = C::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match Nullable::<C>(PhantomData).deserialize(deserializer)? {
            Some(value) => Ok(value),
            None => Err(serde::de::Error::custom("null is not an element")),
        }
    }
}

/// `string`.
#[derive(Debug)]
pub enum Text {}

impl Codec for Text {
    type Value = String;

    fn write<S: Serializer>(value: &String, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer)
    }
}

/// `bool`.
#[derive(Debug)]
pub enum Bool {}

impl Codec for Bool {
    type Value = bool;

    fn write<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*value)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        bool::deserialize(deserializer)
    }
}

/// A message.
#[derive(Debug)]
pub struct Msg<T>(PhantomData<T>);

impl<T: JsonMessage> Codec for Msg<T> {
    type Value = T;
    const PRESERVES: bool = true;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.write_json(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::read_json(deserializer)
    }
}

/// `google.protobuf.Value`, for which `null` is a value.
#[derive(Debug)]
pub struct Dynamic<T>(PhantomData<T>);

impl<T: From<()> + Serialize + for<'de> Deserialize<'de>> Codec for Dynamic<T> {
    type Value = T;

    fn null() -> Option<T> {
        Some(T::from(()))
    }

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

/// A type that can be a map key. In JSON every key is a string.
pub trait Key: Codec<Value: Ord + fmt::Display> {
    /// Reads a key.
    fn parse(text: &str) -> Result<Self::Value, String>;
}

impl Key for Text {
    fn parse(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
}

impl Key for Bool {
    fn parse(text: &str) -> Result<bool, String> {
        text.parse().map_err(|_| format!("expected true or false as a key, found `{text}`"))
    }
}
