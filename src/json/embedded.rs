//! Reads a message in an `Any` from its JSON to its bytes, which also carry what the type does not have.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::any_members::{TYPE, VALUE};
use super::base64::Base64;
use super::codec::Codec;
use super::context::{self, Collecting, Unknown};
use super::members::Members;
use super::message::JsonMessage;
use super::parser::Parser;
use super::schema::{JsonForm, MessageType};
use super::type_first::type_first;
use super::unknown::{UnknownName, read_raw, skip_member};
use super::{path, preserved};

/// Returns the type of a message.
pub fn message_type<M: JsonMessage>() -> MessageType {
    MessageType { form: M::FORM, read: read_object::<M> }
}

/// Returns the bytes of a message without a JSON form, which its only member `"@value"` contains.
pub(crate) fn as_bytes(members: &Members) -> Option<Vec<u8>> {
    only_value(members.iter().map(|(name, json)| (name, json.get())))
}

pub(crate) fn only_value<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Vec<u8>> {
    if context::is_strict() {
        return None;
    }
    let mut value = None;
    for (name, json) in members {
        match name {
            VALUE => value = Base64::read(&mut serde_json::Deserializer::from_str(json)).ok(),
            // grpcurl says here why.
            "@error" => {}
            _ => return None,
        }
    }
    value.map(Vec::from)
}

/// Reads a message from the text of its object in an `Any`, without the `@type`.
fn read_object<M: JsonMessage>(json: &str) -> Result<Vec<u8>, serde_json::Error> {
    struct Object<M>(PhantomData<M>);
    impl<'de, M: JsonMessage> Visitor<'de> for Object<M> {
        type Value = Vec<u8>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<u8>, A::Error> {
            match M::FORM {
                JsonForm::WellKnown { .. } | JsonForm::Any => read_well_known::<M, A>(map),
                JsonForm::Object { .. } | JsonForm::Empty | JsonForm::Opaque => {
                    read_message::<M, A>(map)
                }
            }
        }
    }
    read_buffered(json, Object::<M>(PhantomData))
}

/// Reads the text of an object that was buffered before its type was known.
///
/// It becomes text again, rather than a list of members, because each format that is read compiles the readers of
/// all types once more.
pub(crate) fn read_buffered<T>(
    json: &str,
    visitor: impl for<'de> Visitor<'de, Value = T>,
) -> Result<T, serde_json::Error> {
    let moved = type_first(json);
    let json = moved.as_deref().unwrap_or(json);
    // The position would be that in this text.
    Parser::new(json)
        .read(|parser| parser.deserialize_map(visitor))
        .map_err(|error| serde_json::Error::custom(path::without_position(&error)))
}

/// Reads a message from the members of its object.
pub(crate) fn read_message<'de, M, A>(map: A) -> Result<Vec<u8>, A::Error>
where
    M: JsonMessage,
    A: MapAccess<'de>,
{
    if matches!(M::FORM, JsonForm::Empty) {
        return read_empty(map);
    }
    let collecting = Collecting::begin();
    let message = M::read_json(MapAccessDeserializer::new(map))?;
    message_bytes(message.encode_to_vec(), collecting).map_err(A::Error::custom)
}

/// Reads a message without fields. Some programs write `"value": {}` for it, as for a well-known type.
fn read_empty<'de, A: MapAccess<'de>>(mut map: A) -> Result<Vec<u8>, A::Error> {
    let collecting = Collecting::begin();
    let mut is_first = true;
    while let Some(name) = map.next_key::<String>()? {
        if name != "value" {
            skip_member(&mut map, UnknownName::new(&name))?;
            continue;
        }
        if !std::mem::take(&mut is_first) {
            return Err(A::Error::duplicate_field("value"));
        }
        let value = read_raw(&mut map)?;
        if serde_json::from_str::<Members>(value.get()).is_ok_and(|value| value.is_empty()) {
            continue;
        }
        if context::is_strict() {
            let problem = path::at_field(&name, &"the message has no such field");
            return Err(A::Error::custom(problem));
        }
        context::keep(context::pointer_segment(&name), value);
    }
    message_bytes(Vec::new(), collecting).map_err(A::Error::custom)
}

/// Returns the bytes of a message with what it could not hold, or those in its only member `"@value"`.
fn message_bytes(message: Vec<u8>, collecting: Collecting) -> Result<Vec<u8>, String> {
    let unknown = collecting.end();
    if !unknown.is_empty()
        && message.is_empty()
        && let Some(value) = only_unknown_value(&unknown)
    {
        return Ok(value);
    }
    append(message, unknown)
}

fn only_unknown_value(unknown: &[Unknown]) -> Option<Vec<u8>> {
    only_value(unknown.iter().map(|member| {
        let name = member.pointer.strip_prefix('/').unwrap_or_default();
        (name, member.json.get())
    }))
}

/// Reads a well-known type from the member `value`.
pub(crate) fn read_well_known<'de, M, A>(mut map: A) -> Result<Vec<u8>, A::Error>
where
    M: JsonMessage,
    A: MapAccess<'de>,
{
    let collecting = Collecting::begin();
    let mut value = None;
    while let Some(name) = map.next_key::<String>()? {
        if name != "value" {
            skip_member(&mut map, UnknownName::new(&name))?;
        } else if value.is_some() {
            return Err(A::Error::duplicate_field("value"));
        } else {
            let read = map.next_value_seed(Message::<M>(PhantomData));
            value = Some(read.map_err(|error| A::Error::custom(path::at_field("value", &error)))?);
        }
    }
    let unknown = collecting.end();
    match value {
        Some(value) => append(value.encode_to_vec(), unknown).map_err(A::Error::custom),
        None => only_unknown_value(&unknown).ok_or_else(|| A::Error::missing_field("value")),
    }
}

/// Reads a message.
struct Message<M>(PhantomData<M>);

impl<'de, M: JsonMessage> DeserializeSeed<'de> for Message<M> {
    type Value = M;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<M, D::Error> {
        M::read_json(deserializer)
    }
}

/// Appends what a message could not hold to its bytes.
fn append(message: Vec<u8>, unknown: Vec<Unknown>) -> Result<Vec<u8>, String> {
    if unknown.is_empty() {
        return Ok(message);
    }
    let mut pointers = HashSet::new();
    for member in &unknown {
        if !pointers.insert(&member.pointer) {
            return Err(format!("the member `{}` appears twice", &member.pointer[1..]));
        }
        if member.pointer.strip_prefix('/') == Some(TYPE) {
            return Err("the member `@type` appears twice".to_owned());
        }
    }
    Ok(preserved::append(message, &preserved::members(unknown)))
}
