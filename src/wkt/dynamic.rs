//! `google.protobuf.Struct`, `Value` and `ListValue`: JSON as messages.
//!
//! These types are the crate's own because `pbjson_types` reads `null` as an unset value, accepts duplicate
//! members, and loses numbers if serde_json's feature `arbitrary_precision` is on.

use std::collections::BTreeMap;
use std::fmt;

use prost::Message;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::value::Kind;
use crate::json::codec::{Codec, Dynamic};
use crate::json::collections::Repeated;
use crate::json::number::Float;
use crate::json::{context, number, path};
use pbjson_types::NullValue;

/// A JSON object.
#[derive(Clone, PartialEq, Message)]
pub struct Struct {
    /// The members.
    #[prost(btree_map = "string, message", tag = "1")]
    pub fields: BTreeMap<String, Value>,
}

/// A JSON value. If `kind` is unset, it is written as `null`.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// The value.
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    pub kind: Option<Kind>,
}

/// A JSON list.
#[derive(Clone, PartialEq, Message)]
pub struct ListValue {
    /// The elements.
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

/// The kinds of [`Value`].
pub mod value {
    use super::{ListValue, NullValue, Struct};

    /// The kind of a [`Value`](super::Value).
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Kind {
        /// `null`.
        #[prost(enumeration = "NullValue", tag = "1")]
        NullValue(i32),
        /// A number. NaN and the infinities have no JSON form here; they are written as the strings `"NaN"`,
        /// `"Infinity"` and `"-Infinity"` unless the writer is strict.
        #[prost(double, tag = "2")]
        NumberValue(f64),
        /// A string.
        #[prost(string, tag = "3")]
        StringValue(String),
        /// `true` or `false`.
        #[prost(bool, tag = "4")]
        BoolValue(bool),
        /// An object.
        #[prost(message, tag = "5")]
        StructValue(Struct),
        /// A list.
        #[prost(message, tag = "6")]
        ListValue(ListValue),
    }
}

well_known_names! { ListValue Struct Value }

macro_rules! kinds {
    ($($from:ty, $value:ident => $kind:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self { kind: Some($kind) }
            }
        }
    )*};
}

kinds! {
    (), _null => Kind::NullValue(NullValue::NullValue.into());
    bool, value => Kind::BoolValue(value);
    f64, value => Kind::NumberValue(value);
    &str, value => Kind::StringValue(value.to_owned());
    String, value => Kind::StringValue(value);
    Struct, value => Kind::StructValue(value);
    ListValue, value => Kind::ListValue(value);
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.kind {
            None | Some(Kind::NullValue(_)) => serializer.serialize_unit(),
            Some(Kind::NumberValue(value)) if value.is_finite() => serializer.serialize_f64(*value),
            Some(Kind::NumberValue(value)) if context::writes_strictly() => {
                Err(S::Error::custom(not_a_number(*value)))
            }
            Some(Kind::NumberValue(value)) => Float::write(value, serializer),
            Some(Kind::StringValue(value)) => serializer.serialize_str(value),
            Some(Kind::BoolValue(value)) => serializer.serialize_bool(*value),
            Some(Kind::StructValue(value)) => value.serialize(serializer),
            Some(Kind::ListValue(value)) => value.serialize(serializer),
        }
    }
}

/// Rejects NaN and the infinities, which other formats can contain.
fn not_a_number(value: f64) -> String {
    format!("{value} is not a number that google.protobuf.Value can be")
}

impl Serialize for Struct {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The length is unknown, as for every message: see the module `protojson`.
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for ListValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for value in &self.values {
            list.serialize_element(value)?;
        }
        list.end()
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(().into())
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(().into())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok((value as f64).into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok((value as f64).into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok((value as f64).into())
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok((value as f64).into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.is_finite() { Ok(value.into()) } else { Err(E::custom(not_a_number(value))) }
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Value, A::Error> {
        ListValue::deserialize(SeqAccessDeserializer::new(list)).map(Value::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let first = map.next_key::<String>()?;
        match first {
            Some(name) if number::is_arbitrary_precision(&name) => {
                let text = map.next_value::<String>()?;
                let value = text.parse().ok().filter(|number: &f64| number.is_finite());
                value.map(|number: f64| number.into()).ok_or_else(|| {
                    A::Error::custom(format!("number out of range: {}", number::shortened(&text)))
                })
            }
            first => read_struct(first, map).map(Value::from),
        }
    }
}

fn read_struct<'de, A: MapAccess<'de>>(
    first: Option<String>,
    mut map: A,
) -> Result<Struct, A::Error> {
    let mut fields = BTreeMap::new();
    let mut next = first;
    while let Some(name) = next {
        if fields.contains_key(&name) {
            return Err(A::Error::custom(path::at_key(&name, &"the key appears twice")));
        }
        let value = map.next_value::<Value>();
        let value = value.map_err(|error| A::Error::custom(path::at_key(&name, &error)))?;
        fields.insert(name, value);
        next = map.next_key()?;
    }
    Ok(Struct { fields })
}

struct StructVisitor;

impl<'de> Visitor<'de> for StructVisitor {
    type Value = Struct;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Struct, A::Error> {
        let first = map.next_key()?;
        read_struct(first, map)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Struct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StructVisitor)
    }
}

impl<'de> Deserialize<'de> for ListValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Repeated::<Dynamic<Value>>::read(deserializer).map(|values| Self { values })
    }
}
