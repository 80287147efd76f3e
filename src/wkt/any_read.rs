//! Reads an `Any` from its JSON.

use serde::de::Error as _;
use serde_json::{Error, Result};

use super::any::{Any, name_of};
use super::registry::TypeRegistry;
use crate::json::any_members::{TYPE, TYPE_TWICE};
use crate::json::context::{self, InAny};
use crate::json::embedded::{only_value, read_buffered, read_message};
use crate::json::members::Members;
use crate::json::parser::{Object, Parser};
use crate::json::path;
use crate::json::unknown::is_misfit;
use crate::proto::eset_protect::v1::UnknownAny;

/// Reads an `Any`.
pub(super) fn read(parser: &mut Parser<'_>) -> Result<Any> {
    let _in_any = InAny::enter().map_err(Error::custom)?;
    parser.contained(|parser| parser.object(&"an object with `@type`", read_members))
}

fn read_members(object: &mut Object<'_, '_>) -> Result<Any> {
    let mut members = Members::default();
    while let Some(name) = object.next_name()? {
        if name != TYPE {
            members.read(&name, object)?;
            continue;
        }
        let type_url = object.value().string(&"a string");
        let type_url = type_url.map_err(|error| path::at_field(TYPE, &error))?.into_owned();
        let is_typed = !type_url.is_empty() && !type_url.ends_with('/');
        if is_typed && members.is_empty() {
            return typed(type_url, object);
        }
        members.read_rest(object)?;
        if members.contains(TYPE) {
            return Err(Error::custom(TYPE_TWICE));
        }
        if is_typed {
            return read_buffered(&members.to_json(), |object| typed(type_url, object));
        }
        let problem = "`@type` must end with the full name of a type";
        return untyped(type_url, &members, problem);
    }
    if members.is_empty() {
        return Ok(Any::default());
    }
    untyped(String::new(), &members, "an Any needs the member `@type`")
}

/// Reads an object whose `@type` is missing or names no type. Keeps it unless the reader is strict.
fn untyped(type_url: String, members: &Members, problem: &str) -> Result<Any> {
    if let Some(value) = only_value(members.iter()) {
        return Ok(Any { type_url, value: value.into() });
    }
    if context::is_strict() {
        return Err(Error::custom(problem));
    }
    if type_url.is_empty() && members.is_empty() {
        return Ok(Any::default());
    }
    Ok(Any::pack(&UnknownAny { type_url, json: members.to_json() }))
}

/// Reads the members after `@type`.
fn typed(type_url: String, object: &mut Object<'_, '_>) -> Result<Any> {
    let start = object.mark();
    let value = match TypeRegistry::in_scope(name_of(&type_url)) {
        Some(known) => match read_message(&known.message_type, object) {
            // Nothing of it gets lost, and whoever unpacks it learns what is wrong.
            Err(error) if is_misfit(&error) => {
                object.rewind(start);
                unregistered(object)
            }
            read => read.map(Payload::Known),
        },
        None => unregistered(object),
    };
    match value {
        Ok(Payload::Known(value)) => Ok(Any { type_url, value: value.into() }),
        Ok(Payload::Unknown(json)) => Ok(Any::pack(&UnknownAny { type_url, json })),
        Err(error) => Err(path::at_type(&type_url, &error)),
    }
}

/// The members of an `Any`.
enum Payload {
    /// The bytes of a message.
    Known(Vec<u8>),
    /// The JSON of a message of an unknown type.
    Unknown(String),
}

fn unregistered(object: &mut Object<'_, '_>) -> Result<Payload> {
    if context::is_strict() {
        return Err(Error::custom("the type is not registered"));
    }
    let mut members = Members::default();
    members.read_rest(object)?;
    if members.contains(TYPE) {
        return Err(Error::custom(TYPE_TWICE));
    }
    Ok(match only_value(members.iter()) {
        Some(value) => Payload::Known(value),
        None => Payload::Unknown(members.to_json()),
    })
}
