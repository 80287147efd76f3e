//! The JSON form of an `Any`, and how to read it.

use serde::de::Error as _;
use serde_json::{Error, Result};

use super::any::{Any, name_of};
use super::any_write;
use super::registry::TypeRegistry;
use crate::json::any_members::TYPE;
use crate::json::compact::Compact;
use crate::json::context::{self, InAny};
use crate::json::embedded::{only_value, read_buffered, read_message};
use crate::json::members::Members;
use crate::json::message::JsonMessage;
use crate::json::parser::{Object, Parser};
use crate::json::path;
use crate::json::schema::{JsonForm, MessageType};
use crate::json::unknown::is_misfit;
use crate::proto::eset_protect::v1::UnknownAny;

impl JsonMessage for Any {
    const FORM: JsonForm = JsonForm::Any;

    fn write_json(&self, json: &mut Compact) -> Result<()> {
        any_write::write(self, json)
    }

    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<()> {
        let _in_any = InAny::enter().map_err(Error::custom)?;
        let read = |parser: &mut Parser<'_>| parser.object(&"an object with `@type`", read_members);
        *self = parser.contained(read)?;
        Ok(())
    }
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
        members.read_rest_of_any(object)?;
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
    match context::is_strict() {
        true => Err(Error::custom(problem)),
        false => Ok(unread(type_url, members)),
    }
}

/// Keeps the members of a type that is not known, or the bytes that one of them contains.
fn unread(type_url: String, members: &Members) -> Any {
    match only_value(members.iter()) {
        Some(value) => Any { type_url, value: value.into() },
        None if type_url.is_empty() && members.is_empty() => Any::default(),
        None => Any::pack(&UnknownAny { type_url, json: members.to_json() }),
    }
}

/// Reads the members after `@type`.
fn typed(type_url: String, object: &mut Object<'_, '_>) -> Result<Any> {
    let read = match TypeRegistry::in_scope(name_of(&type_url)) {
        Some(known) => read_known(&known.message_type, object),
        None if context::is_strict() => Err(Error::custom("the type is not registered")),
        None => Ok(None),
    };
    let members = match read {
        Ok(Some(value)) => return Ok(Any { type_url, value: value.into() }),
        Ok(None) => Members::of_any(object),
        Err(error) => Err(error),
    };
    match members {
        Ok(members) => Ok(unread(type_url, &members)),
        Err(error) => Err(path::at_type(&type_url, &error)),
    }
}

/// Reads a message of a known type; `None` for a misfit in a response. Then nothing of it gets lost, and whoever unpacks
/// it learns what is wrong.
fn read_known(known: &MessageType, object: &mut Object<'_, '_>) -> Result<Option<Vec<u8>>> {
    let start = object.mark();
    match read_message(known, object) {
        Err(error) if is_misfit(&error) => {
            object.rewind(start);
            Ok(None)
        }
        read => read.map(Some),
    }
}
