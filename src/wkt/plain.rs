//! The plain form of well-known types: the JSON object of their fields, for values that the regular JSON form
//! cannot represent, such as a time in the year 10,000.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Unexpected, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use super::wrappers::{Int32Value, Int64Value};
use crate::json::context;

/// A type whose JSON is a string if that can represent the value.
pub(super) trait Plain: Sized {
    /// The object of its fields.
    type Fields: Serialize + DeserializeOwned + Into<Self>;
    /// A description of the string.
    const EXPECTED: &'static str;

    /// Reads the string.
    fn parse<E: serde::de::Error>(text: &str) -> Result<Self, E>;
}

/// The fields of a timestamp or duration.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Seconds {
    pub seconds: Int64Value,
    #[serde(default)]
    pub nanos: Int32Value,
}

impl Seconds {
    pub fn new(seconds: i64, nanos: i32) -> Self {
        Self { seconds: Int64Value { value: seconds }, nanos: Int32Value { value: nanos } }
    }
}

/// Writes a value that no string can represent, unless the writer is strict.
pub(super) fn write<T: Plain, S: Serializer>(
    fields: &T::Fields,
    problem: impl fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if context::writes_strictly() {
        return Err(S::Error::custom(problem));
    }
    /// Writes the fields as an object in any format, as for every message.
    #[derive(Serialize)]
    struct Object<'a, F> {
        #[serde(flatten)]
        fields: &'a F,
    }
    Object { fields }.serialize(serializer)
}

/// Reads a string, or the object of the fields unless the reader is strict.
pub(super) fn read<'de, T: Plain, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct PlainVisitor<T>(PhantomData<T>);
    impl<'de, T: Plain> Visitor<'de> for PlainVisitor<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(T::EXPECTED)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            T::parse(text)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            if context::is_strict() {
                return Err(A::Error::invalid_type(Unexpected::Map, &self));
            }
            T::Fields::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
        }
    }
    deserializer.deserialize_any(PlainVisitor(PhantomData))
}
