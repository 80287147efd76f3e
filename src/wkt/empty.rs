//! `google.protobuf.Empty`: a message without fields; in JSON, an empty object.

use std::fmt;

use prost::Message;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::json::message::{JsonObject, write_object};
use crate::json::unknown::{UnknownName, skip_member};

/// A message without fields. In JSON `{}`; in an [`Any`](super::Any) only `@type`. Some implementations write
/// `"value": {}` there, which is accepted too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub struct Empty {}

well_known_names! { Empty }

impl JsonObject for Empty {
    fn write_fields<O: SerializeMap>(&self, _: &mut O) -> Result<(), O::Error> {
        Ok(())
    }
}

impl Serialize for Empty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_object(self, None, serializer)
    }
}

impl<'de> Deserialize<'de> for Empty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EmptyVisitor;
        impl<'de> Visitor<'de> for EmptyVisitor {
            type Value = Empty;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an empty object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Empty, A::Error> {
                while let Some(name) = map.next_key::<String>()? {
                    skip_member(&mut map, UnknownName::new(&name))?;
                }
                Ok(Empty {})
            }
        }
        deserializer.deserialize_map(EmptyVisitor)
    }
}
