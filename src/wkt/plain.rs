//! The plain form of a well-known type: the JSON object of its fields, for a value that the type's own
//! JSON cannot say, such as a time in the year 10,000.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Unexpected, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use super::wrappers::{Int32Value, Int64Value};
use crate::json::context;

/// A type whose JSON is a string where that can say its value.
pub(super) trait Plain: Sized {
    /// The object of its fields.
    type Fields: Serialize + DeserializeOwned + Into<Self>;
    /// What the string is.
    const EXPECTED: &'static str;

    /// Reads the string.
    fn parse<E: serde::de::Error>(text: &str) -> Result<Self, E>;
}

/// The fields of a time and of a span of time.
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

/// Writes a value that no string can say, unless that is refused.
pub(super) fn write<T: Plain, S: Serializer>(
    fields: &T::Fields,
    problem: impl fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if context::writes_strictly() {
        return Err(S::Error::custom(problem));
    }
    /// The fields as an object of any format, as every message is written.
    #[derive(Serialize)]
    struct Object<'a, F> {
        #[serde(flatten)]
        fields: &'a F,
    }
    Object { fields }.serialize(serializer)
}

/// Reads a string, or the object of the fields unless that is refused.
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
