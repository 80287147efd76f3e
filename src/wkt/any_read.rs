//! Reads an `Any` from its JSON.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::any::{Any, name_of};
use super::registry::TypeRegistry;
use super::types;
use crate::json::any_members::TYPE;
use crate::json::context::{self, InAny};
use crate::json::embedded::{as_bytes, read_buffered, read_message, read_well_known};
use crate::json::members::Members;
use crate::json::message::{JsonMessage, JsonObject, TypeVisitor};
use crate::json::path;
use crate::proto::eset_protect::v1::UnknownAny;

/// Reads an `Any`.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Any, D::Error> {
    let _in_any = InAny::enter().map_err(D::Error::custom)?;
    deserializer.deserialize_map(AnyVisitor)
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Any;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `@type`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            if name != TYPE {
                members.read(name, &mut map)?;
                continue;
            }
            let type_url = map.next_value::<String>()?;
            let is_typed = !type_url.is_empty() && !type_url.ends_with('/');
            if is_typed && members.is_empty() {
                return typed(type_url, map);
            }
            members.read_rest(&mut map)?;
            if members.contains(TYPE) {
                return Err(A::Error::custom("the member `@type` appears twice"));
            }
            if is_typed {
                return buffered(type_url, &members).map_err(A::Error::custom);
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

/// Reads an object whose `@type` is missing or names no type. Keeps it unless the reader is strict.
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

/// Reads the members after `@type`.
fn typed<'de, A: MapAccess<'de>>(type_url: String, mut map: A) -> Result<Any, A::Error> {
    let name = name_of(&type_url);
    if TypeRegistry::added_in_scope(name).is_some() {
        let mut members = Members::default();
        members.read_rest(&mut map)?;
        return buffered(type_url, &members).map_err(A::Error::custom);
    }
    let payload = types::visit(name, Read::new(map, &type_url));
    finish(type_url, payload)
}

/// Reads members that came before `@type`, or those of a type registered at run time.
fn buffered(type_url: String, members: &Members) -> Result<Any, serde_json::Error> {
    let json = members.to_json()?;
    let payload = match TypeRegistry::added_in_scope(name_of(&type_url)) {
        Some(added) => added.read(&json).map(Payload::Known),
        None => read_buffered(&json, PayloadVisitor { type_url: &type_url }),
    };
    finish(type_url, payload)
}

fn finish<E: Error>(type_url: String, payload: Result<Payload, E>) -> Result<Any, E> {
    match payload {
        Ok(Payload::Known(value)) => Ok(Any { type_url, value: value.into() }),
        Ok(Payload::Unknown(unknown)) => Ok(Any::pack(&unknown)),
        Err(error) => Err(E::custom(path::at_type(&type_url, &error))),
    }
}

/// The result of reading the members of an `Any`.
enum Payload {
    /// The bytes of a message of a known type.
    Known(Vec<u8>),
    /// The text of a message of an unknown type.
    Unknown(UnknownAny),
}

/// Reads the members of an object, which do not include its `@type`.
struct PayloadVisitor<'a> {
    type_url: &'a str,
}

impl<'de> Visitor<'de> for PayloadVisitor<'_> {
    type Value = Payload;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Payload, A::Error> {
        types::visit(name_of(self.type_url), Read::new(map, self.type_url))
    }
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

    fn message<M: JsonObject>(self) -> Self::Output {
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
