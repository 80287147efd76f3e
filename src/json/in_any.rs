//! Reads an `Any` from its JSON.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use prost::{Message, Name};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::settle::name_of;
use super::{Any, BytesValue, preserved};
use crate::proto::eset_protect::v1::UnknownAny;
use crate::protojson::context::{self, Unknown};
use crate::protojson::members::Members;
use crate::protojson::path;
use crate::protojson::tagged::{TYPE, VALUE};
use crate::protojson::unknown::{UnknownName, read_raw, skip_member};
use crate::types::{self, JsonForm, JsonMessage, TypeVisitor};

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        context::in_any(|| deserializer.deserialize_map(AnyVisitor)).map_err(D::Error::custom)?
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Any;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `@type`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<Key>()? {
            if let Key::Other(name) = key {
                members.read(name, &mut map)?;
                continue;
            }
            let type_url = map.next_value::<String>()?;
            let is_typed = !name_of(&type_url).is_empty();
            if is_typed && members.is_empty() {
                return typed(type_url, map);
            }
            members.read_rest(&mut map)?;
            if members.contains(TYPE) {
                return Err(A::Error::custom("the member `@type` appears twice"));
            }
            if is_typed {
                return buffered(type_url, members).map_err(A::Error::custom);
            }
            let problem = "`@type` must end with the full name of a type";
            return untyped(type_url, &members, problem).map_err(A::Error::custom);
        }
        if members.is_empty() {
            return Ok(Any::default());
        }
        let problem = "an Any needs the member `@type`";
        untyped(String::new(), &members, problem).map_err(A::Error::custom)
    }
}

/// Reads an object whose `@type` is missing or names no type. It is kept unless that is refused.
fn untyped(type_url: String, members: &Members, problem: &str) -> Result<Any, serde_json::Error> {
    if let Some(value) = as_bytes(members) {
        return Ok(Any { type_url, value: value.into() });
    }
    if context::is_strict() {
        return Err(serde_json::Error::custom(problem));
    }
    if type_url.is_empty() && members.is_empty() {
        return Ok(Any::default());
    }
    Ok(Any::pack(&UnknownAny { type_url, json: members.to_json()? }))
}

/// The bytes that `"@value"` alone holds, where the message has no JSON form.
pub(super) fn as_bytes(members: &Members) -> Option<Vec<u8>> {
    only_value(members.iter().map(|(name, json)| (name, json.get())))
}

pub(super) fn only_value<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Vec<u8>> {
    if context::is_strict() {
        return None;
    }
    let mut value = None;
    for (name, json) in members {
        match name {
            VALUE => value = serde_json::from_str::<BytesValue>(json).ok(),
            // grpcurl says here why.
            "@error" => {}
            _ => return None,
        }
    }
    value.map(|value| value.value.into())
}

/// The name of a member; that of the first, which is `@type` nearly always, is not worth a copy.
enum Key {
    Type,
    Other(String),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a member")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                Ok(if name == TYPE { Key::Type } else { Key::Other(name.to_owned()) })
            }
        }
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// Reads the members behind `@type`.
fn typed<'de, A: MapAccess<'de>>(type_url: String, mut map: A) -> Result<Any, A::Error> {
    if let Some(registry) = context::registry()
        && registry.added(name_of(&type_url)).is_some()
    {
        let mut members = Members::default();
        members.read_rest(&mut map)?;
        return buffered(type_url, members).map_err(A::Error::custom);
    }
    let value = types::visit(name_of(&type_url), Read::new(map, &type_url));
    finish(type_url, value)
}

/// Reads members that stood before `@type`, or whose type was registered at run time.
fn buffered(type_url: String, members: Members) -> Result<Any, serde_json::Error> {
    let added = context::registry().and_then(|registry| registry.added(name_of(&type_url)));
    let value = match added {
        Some(added) => added.read(members).map(Payload::Known),
        None => {
            let map = members.into_map();
            types::visit(name_of(&type_url), Read::new(map, &type_url))
        }
    };
    finish(type_url, value)
}

fn finish<E: Error>(type_url: String, payload: Result<Payload, E>) -> Result<Any, E> {
    match payload {
        Ok(Payload::Known(value)) => Ok(Any { type_url, value: value.into() }),
        Ok(Payload::Unknown(unknown)) => Ok(Any::pack(&unknown)),
        Err(error) => Err(E::custom(path::at_type(&type_url, &error))),
    }
}

/// What the members of an `Any` become.
enum Payload {
    /// The bytes of a message.
    Known(Vec<u8>),
    /// The text of one whose type is not.
    Unknown(UnknownAny),
}

struct Read<'a, 'de, A: MapAccess<'de>> {
    map: A,
    type_url: &'a str,
    lifetime: PhantomData<&'de ()>,
}

impl<'a, 'de, A: MapAccess<'de>> Read<'a, 'de, A> {
    fn new(map: A, type_url: &'a str) -> Self {
        Self { map, type_url, lifetime: PhantomData }
    }
}

impl<'de, A: MapAccess<'de>> TypeVisitor for Read<'_, 'de, A> {
    type Output = Result<Payload, A::Error>;

    fn message<M: JsonMessage>(self) -> Self::Output {
        read_message::<M, A>(self.map).map(Payload::Known)
    }

    fn well_known<M: JsonMessage>(self) -> Self::Output {
        read_well_known::<M, A>(self.map).map(Payload::Known)
    }

    fn unknown(mut self) -> Self::Output {
        if context::is_strict() {
            return Err(A::Error::custom("the type is not registered"));
        }
        let mut members = Members::default();
        members.read_rest(&mut self.map)?;
        if members.contains(TYPE) {
            return Err(A::Error::custom("the member `@type` appears twice"));
        }
        if let Some(value) = as_bytes(&members) {
            return Ok(Payload::Known(value));
        }
        let json = members.to_json().map_err(A::Error::custom)?;
        Ok(Payload::Unknown(UnknownAny { type_url: self.type_url.to_owned(), json }))
    }
}

/// Reads a message from the text of its object.
pub(crate) fn read_object<M: JsonMessage>(json: &str) -> Result<Vec<u8>, serde_json::Error> {
    let members: Members = serde_json::from_str(json)?;
    read_message::<M, _>(members.into_map())
}

/// Reads a message from the members of its object.
pub fn read_message<'de, M, A>(map: A) -> Result<Vec<u8>, A::Error>
where
    M: JsonMessage,
    A: MapAccess<'de>,
{
    if matches!(M::FORM, JsonForm::Empty) {
        return read_empty::<M, A>(map);
    }
    let (message, unknown) =
        context::collecting(|| M::deserialize(MapAccessDeserializer::new(map)));
    let message = message?;
    if !unknown.is_empty()
        && message.encoded_len() == 0
        && let Some(value) = only_unknown_value(&unknown)
    {
        return Ok(value);
    }
    encode(&message, unknown).map_err(A::Error::custom)
}

/// Reads a message without fields, for which some write `"value": {}` as for a well-known type.
fn read_empty<'de, M, A>(map: A) -> Result<Vec<u8>, A::Error>
where
    M: JsonMessage,
    A: MapAccess<'de>,
{
    let (read, unknown) = context::collecting(|| {
        let mut map = map;
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
        Ok(())
    });
    read?;
    match only_unknown_value(&unknown) {
        Some(value) => Ok(value),
        None => encode(&M::default(), unknown).map_err(A::Error::custom),
    }
}

fn only_unknown_value(unknown: &[Unknown]) -> Option<Vec<u8>> {
    only_value(unknown.iter().map(|member| {
        let name = member.pointer.strip_prefix('/').unwrap_or_default();
        (name, member.json.get())
    }))
}

/// Reads a well-known type from the member `value`.
pub fn read_well_known<'de, M, A>(mut map: A) -> Result<Vec<u8>, A::Error>
where
    M: JsonMessage,
    A: MapAccess<'de>,
{
    let (value, unknown) = context::collecting(|| {
        let mut value = None;
        while let Some(name) = map.next_key::<String>()? {
            if name != "value" {
                skip_member(&mut map, UnknownName::new(&name))?;
            } else if value.is_some() {
                return Err(A::Error::duplicate_field("value"));
            } else {
                let read = map.next_value::<M>();
                value =
                    Some(read.map_err(|error| A::Error::custom(path::at_field("value", &error)))?);
            }
        }
        Ok(value)
    });
    if let Some(value) = value? {
        return encode(&value, unknown).map_err(A::Error::custom);
    }
    only_unknown_value(&unknown).ok_or_else(|| A::Error::missing_field("value"))
}

fn encode<M: Message>(message: &M, unknown: Vec<Unknown>) -> Result<Vec<u8>, String> {
    if unknown.is_empty() {
        return Ok(message.encode_to_vec());
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
    Ok(preserved::append(message.encode_to_vec(), &preserved::members(unknown)))
}

impl UnknownAny {
    /// The type URL of this message itself.
    pub(crate) fn is_named(name: &str) -> bool {
        name.strip_prefix(Self::PACKAGE).and_then(|rest| rest.strip_prefix('.')) == Some(Self::NAME)
    }
}
