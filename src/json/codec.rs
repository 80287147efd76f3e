//! The JSON form of each kind of field.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::open_enum::{Enumeration, Open};
use super::{context, path};
use crate::wkt::NullValue;

/// How a field of one kind is written and read. The types that implement it are markers that
/// generated code names; they have no values.
pub trait Codec {
    /// What the generated struct holds.
    type Value;

    /// Reading a value can leave members or names that the schema does not have.
    const PRESERVES: bool = false;

    /// What `null` means where the value is not absent: only `google.protobuf.Value` says.
    fn null() -> Option<Self::Value> {
        None
    }

    /// Writes a value.
    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads a value that is not `null`.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error>;
}

/// A value that serializes by a codec.
pub(super) struct As<'a, C: Codec>(pub(super) &'a C::Value);

impl<C: Codec> Serialize for As<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        C::write(self.0, serializer)
    }
}

/// Reads by a codec; `null` gives `None` unless the codec has a meaning for it.
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

/// Reads an element of a list or a map, where `null` is an error.
struct Element<C>(PhantomData<C>);

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

/// A message, by its own implementations of serde's traits.
#[derive(Debug)]
pub struct Msg<T>(PhantomData<T>);

impl<T: Serialize + for<'de> Deserialize<'de>> Codec for Msg<T> {
    type Value = T;
    const PRESERVES: bool = true;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

/// `google.protobuf.Value`, of which `null` is a value.
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

/// `google.protobuf.NullValue`, whose one value is `null`.
#[derive(Debug)]
pub enum Null {}

impl Codec for Null {
    type Value = i32;
    const PRESERVES: bool = true;

    fn null() -> Option<i32> {
        Some(NullValue::NullValue.into())
    }

    fn write<S: Serializer>(value: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        match NullValue::try_from(*value) {
            Ok(NullValue::NullValue) => serializer.serialize_unit(),
            Err(_) => Open::<NullValue>::write(value, serializer),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        Open::<NullValue>::read(deserializer)
    }
}

impl Enumeration for NullValue {
    const FULL_NAME: &'static str = "google.protobuf.NullValue";

    const VALUES: &'static [(&'static str, i32)] = &[("NULL_VALUE", 0)];
}

/// `repeated`.
#[derive(Debug)]
pub struct Repeated<C>(PhantomData<C>);

impl<C: Codec> Codec for Repeated<C> {
    type Value = Vec<C::Value>;
    const PRESERVES: bool = C::PRESERVES;

    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut list = serializer.serialize_seq(Some(value.len()))?;
        for (index, element) in value.iter().enumerate() {
            list.serialize_element(&As::<C>(element))
                .map_err(|error| serde::ser::Error::custom(path::at_index(index, &error)))?;
        }
        list.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(Self(PhantomData))
    }
}

impl<'de, C: Codec> Visitor<'de> for Repeated<C> {
    type Value = Vec<C::Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let mark = context::mark::<C>();
            let element = list
                .next_element_seed(Element::<C>(PhantomData))
                .map_err(|error| serde::de::Error::custom(path::at_index(values.len(), &error)))?;
            let Some(element) = element else { return Ok(values) };
            context::prefix::<C>(mark, &values.len());
            values.push(element);
        }
    }
}

/// A type that can be the key of a `map`. In JSON every key is a string.
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

/// `map`.
#[derive(Debug)]
pub struct Map<K, C>(PhantomData<(K, C)>);

impl<K: Key, C: Codec> Codec for Map<K, C> {
    type Value = BTreeMap<K::Value, C::Value>;
    const PRESERVES: bool = C::PRESERVES;

    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(value.len()))?;
        for (key, value) in value {
            map.serialize_entry(&Shown(key), &As::<C>(value)).map_err(|error| {
                serde::ser::Error::custom(path::at_key(&key.to_string(), &error))
            })?;
        }
        map.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(Self(PhantomData))
    }
}

struct Shown<'a, T>(&'a T);

impl<T: fmt::Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

impl<'de, K: Key, C: Codec> Visitor<'de> for Map<K, C> {
    type Value = BTreeMap<K::Value, C::Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = BTreeMap::new();
        while let Some(text) = map.next_key::<String>()? {
            let at = |error: &dyn fmt::Display| -> A::Error {
                serde::de::Error::custom(path::at_key(&text, error))
            };
            let key = K::parse(&text).map_err(|error| at(&error))?;
            let mark = context::mark::<C>();
            let value =
                map.next_value_seed(Element::<C>(PhantomData)).map_err(|error| at(&error))?;
            context::prefix::<C>(mark, &text);
            if values.insert(key, value).is_some() {
                return Err(at(&"the key appears twice"));
            }
        }
        Ok(values)
    }
}
