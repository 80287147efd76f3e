//! Lists and maps.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use super::codec::{As, Codec, Element, Key};
use super::{context, path};

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
