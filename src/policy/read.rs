//! Reads members of files, with errors that say what was expected.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

use crate::wkt::Any;

/// Reads a whole number from `MIN` on.
struct WholeNumber<const MIN: u32>;

impl<const MIN: u32> Visitor<'_> for WholeNumber<MIN> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {}", u32::MAX)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u32, E> {
        let whole = u32::try_from(number).ok().filter(|number| *number >= MIN);
        whole.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u32, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
}

/// A member that may be left out, but is not null: a name without a value may be meant to remove what it names,
/// or to keep it.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

pub(super) fn rank<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    from.deserialize_any(WholeNumber::<1>).map(Some)
}

pub(super) fn feature_id<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    from.deserialize_any(WholeNumber::<0>)
}

/// An `Any` as the text of its JSON.
pub(super) mod json_text {
    use serde::ser::{Error as _, Serialize, Serializer};

    use super::{
        Any, Deserialize, Deserializer, Error, MapAccess, MapAccessDeserializer, Visitor, fmt,
    };

    pub(in super::super) fn serialize<S: Serializer>(
        any: &Option<Any>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let text = any.as_ref().map(serde_json::to_string).transpose();
        text.map_err(S::Error::custom)?.serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Any>, D::Error> {
        from.deserialize_any(Visit).map(Some)
    }

    struct Visit;

    impl<'de> Visitor<'de> for Visit {
        type Value = Any;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with `@type` and `product`, or its JSON as a text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Any, E> {
            serde_json::from_str(text).map_err(|error| {
                E::custom(format_args!("expected the JSON of a configuration: {error}"))
            })
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Any, A::Error> {
            Any::deserialize(MapAccessDeserializer::new(members))
        }
    }
}
