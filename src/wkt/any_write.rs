//! Writes an `Any` as JSON.

use bytes::Bytes;
use prost::{DecodeError, Message};
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Any, preserved};
use crate::proto::eset_protect::v1::{UnknownAny, UnknownMembers};
use crate::protojson::members::Members;
use crate::protojson::patch::{Patch, Patched};
use crate::protojson::raw::Json;
use crate::protojson::tagged::{TYPE, Tagged};
use crate::protojson::{context, path};
use crate::types::{self, JsonMessage, TypeVisitor};

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        context::in_any(|| write(self, serializer))
            .map_err(S::Error::custom)?
            .map_err(|error| S::Error::custom(path::at_type(&self.type_url, &error)))
    }
}

fn write<S: Serializer>(any: &Any, serializer: S) -> Result<S::Ok, S::Error> {
    if any.type_url.is_empty() && any.value.is_empty() {
        return serializer.serialize_map(None)?.end();
    }
    let name = any.type_name();
    if UnknownAny::is_named(name) {
        return write_unknown(any, serializer);
    }
    if let Some(added) = context::registry().and_then(|registry| registry.added(name)) {
        let json = added.write(&any.value).map_err(S::Error::custom)?;
        let members = preserved::find(&any.value).map_err(S::Error::custom)?;
        return patched(&json, &members, &any.type_url, serializer);
    }
    types::visit(name, Write { any, serializer })
}

/// The original JSON of a type that is not known.
fn write_unknown<S: Serializer>(any: &Any, serializer: S) -> Result<S::Ok, S::Error> {
    let unknown = UnknownAny::decode(any.value.clone()).map_err(S::Error::custom)?;
    let members: Members = serde_json::from_str(&unknown.json)
        .map_err(|error| S::Error::custom(format!("its JSON is broken: {error}")))?;
    if unknown.type_url.is_empty() || members.contains(TYPE) {
        return Err(S::Error::custom(
            "its JSON must be an object without `@type`, beside a type URL",
        ));
    }
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry(TYPE, &unknown.type_url)?;
    for (name, json) in members.iter() {
        map.serialize_entry(name, &Json(json))?;
    }
    map.end()
}

struct Write<'a, S> {
    any: &'a Any,
    serializer: S,
}

impl<S: Serializer> TypeVisitor for Write<'_, S> {
    type Output = Result<S::Ok, S::Error>;

    fn message<M: JsonMessage>(self) -> Self::Output {
        let Any { type_url, value } = self.any;
        let message = decode::<M>(value).map_err(S::Error::custom)?;
        let members = preserved::find(value).map_err(S::Error::custom)?;
        if members.members.is_empty() {
            return message.serialize(Tagged { type_url, serializer: self.serializer });
        }
        let json = serde_json::value::to_raw_value(&message).map_err(S::Error::custom)?;
        patched(&json, &members, type_url, self.serializer)
    }

    fn well_known<M: JsonMessage>(self) -> Self::Output {
        let Any { type_url, value } = self.any;
        let message = M::decode(value.clone()).map_err(S::Error::custom)?;
        let members = preserved::find(value).map_err(S::Error::custom)?;
        if members.members.is_empty() {
            let mut map = self.serializer.serialize_map(None)?;
            map.serialize_entry(TYPE, type_url)?;
            map.serialize_entry("value", &message)
                .map_err(|error| S::Error::custom(path::at_field("value", &error)))?;
            return map.end();
        }
        let json = well_known_json(&message).map_err(S::Error::custom)?;
        patched(&json, &members, type_url, self.serializer)
    }

    fn unknown(self) -> Self::Output {
        Err(S::Error::custom(
            "bytes of a type that is not registered cannot be written as JSON; \
             add the type to a TypeRegistry",
        ))
    }
}

/// Decodes the message of an `Any` to write it.
fn decode<M: Message + Default>(value: &Bytes) -> Result<M, DecodeError> {
    /// From here on, fields of type `bytes` that share the memory of `value` outweigh that `Bytes` is
    /// slower to read from than a slice.
    const SHARED: usize = 1024;
    if value.len() < SHARED { M::decode(&**value) } else { M::decode(value.clone()) }
}

/// The JSON object of a well-known type in an `Any`, without its `@type`.
pub fn well_known_json<M: Serialize>(message: &M) -> Result<Box<RawValue>, serde_json::Error> {
    #[derive(Serialize)]
    struct Value<'a, M> {
        value: &'a M,
    }
    serde_json::value::to_raw_value(&Value { value: message })
}

fn patched<S: Serializer>(
    json: &RawValue,
    members: &UnknownMembers,
    type_url: &str,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut patch = Patch::default();
    for member in &members.members {
        let value = RawValue::from_string(member.json.clone())
            .map_err(|error| error.to_string())
            .and_then(|value| patch.insert(&member.pointer, value));
        value.map_err(|error| {
            S::Error::custom(format!("the unknown member `{}` is broken: {error}", member.pointer))
        })?;
    }
    Patched { json, patch: &patch, type_url: Some(type_url) }.serialize(serializer)
}
