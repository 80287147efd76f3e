//! Reads a message in an `Any` from its JSON to its bytes, which also carry what the type does not have.

use std::collections::HashSet;

use serde::de::Error as _;
use serde_json::{Error, Result};

use super::any_members::{TYPE, TYPE_TWICE, VALUE};
use super::base64;
use super::context::{self, Collecting};
use super::members::Members;
use super::parser::{Object, Parser};
use super::schema::{JsonForm, MessageType};
use super::type_first::type_first;
use super::unknown::{read_member, skip_member};
use super::{path, preserved};
use crate::proto::eset_protect::v1::UnknownMember;

/// Returns the bytes of a message without a JSON form, which its only member `"@value"` contains.
pub(crate) fn only_value<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Vec<u8>> {
    if context::is_strict() {
        return None;
    }
    let mut value = None;
    for (name, json) in members {
        match name {
            VALUE if value.is_none() => {
                let text: String = serde_json::from_str(json).ok()?;
                value = Some(base64::decode(&text).ok()?);
            }
            // grpcurl says here why.
            "@error" => {}
            _ => return None,
        }
    }
    value.map(Vec::from)
}

/// Does the same for members at JSON Pointers.
pub(crate) fn only_unknown_value(members: &[UnknownMember]) -> Option<Vec<u8>> {
    only_value(members.iter().map(|UnknownMember { pointer, json }| {
        (pointer.strip_prefix('/').unwrap_or_default(), json.as_str())
    }))
}

/// Reads the text of an object that was buffered before its type was known.
pub(crate) fn read_buffered<T>(
    json: &str,
    read: impl FnOnce(&mut Object<'_, '_>) -> Result<T>,
) -> Result<T> {
    let moved = type_first(json);
    let json = moved.as_deref().unwrap_or(json);
    // The position would be that in this text.
    Parser::new(json)
        .read(|parser| parser.object(&"an object", read))
        .map_err(|error| Error::custom(path::without_position(&error)))
}

/// Reads a message from the remaining members of its object in an `Any`, which do not include its `@type`.
pub(crate) fn read_message(
    message_type: &MessageType,
    object: &mut Object<'_, '_>,
) -> Result<Vec<u8>> {
    let collecting = Collecting::begin();
    let message = match message_type.form {
        JsonForm::WellKnown { .. } | JsonForm::Any => {
            return read_well_known(message_type, object, collecting);
        }
        JsonForm::Empty => {
            read_empty(object)?;
            Vec::new()
        }
        JsonForm::Object { .. } => (message_type.read_members)(object)?,
        JsonForm::Opaque => return read_opaque(message_type, object),
    };
    let unknown = collecting.end().map_err(Error::custom)?;
    if !unknown.is_empty()
        && message.is_empty()
        && let Some(value) = only_unknown_value(&unknown)
    {
        return Ok(value);
    }
    append(message, unknown)
}

/// Reads a message of a type with serde implementations of its own.
fn read_opaque(message_type: &MessageType, object: &mut Object<'_, '_>) -> Result<Vec<u8>> {
    let members = Members::of_any(object)?;
    match only_value(members.iter()) {
        Some(value) => Ok(value),
        None => Parser::new(&members.to_json()).read(message_type.read),
    }
}

/// Reads a message without fields. Some programs write `"value": {}` for it, as for a well-known type.
fn read_empty(object: &mut Object<'_, '_>) -> Result<()> {
    let mut is_first = true;
    while let Some(name) = object.next_name()? {
        if name != "value" {
            skip_member(object, &name)?;
            continue;
        }
        if !std::mem::take(&mut is_first) {
            return Err(path::twice(&name));
        }
        let Some(value) = read_member(object, &name)? else { continue };
        if Members::parse(value).is_ok_and(|value| value.is_empty()) {
            continue;
        }
        if context::is_strict() {
            return Err(path::at_field(&name, &"the message has no such field"));
        }
        context::keep(context::pointer_segment(&name), value.to_owned());
    }
    Ok(())
}

/// Reads a well-known type from the member `value`.
fn read_well_known(
    message_type: &MessageType,
    object: &mut Object<'_, '_>,
    collecting: Collecting,
) -> Result<Vec<u8>> {
    let mut value = None;
    while let Some(name) = object.next_name()? {
        if name != "value" {
            skip_member(object, &name)?;
        } else if value.is_some() {
            return Err(path::twice(&name));
        } else {
            let read = (message_type.read)(object.value());
            value = Some(read.map_err(|error| path::at_field("value", &error))?);
        }
    }
    let unknown = collecting.end().map_err(Error::custom)?;
    match value {
        Some(value) => append(value, unknown),
        None => only_unknown_value(&unknown).ok_or_else(|| Error::missing_field("value")),
    }
}

/// Appends what a message could not hold to its bytes.
fn append(message: Vec<u8>, unknown: Vec<UnknownMember>) -> Result<Vec<u8>> {
    if unknown.is_empty() {
        return Ok(message);
    }
    let mut pointers = HashSet::new();
    for member in &unknown {
        if !pointers.insert(&member.pointer) {
            let name = member.pointer.strip_prefix('/').unwrap_or_default();
            return Err(Error::custom(format_args!("the member `{name}` appears twice")));
        }
        if member.pointer.strip_prefix('/') == Some(TYPE) {
            return Err(Error::custom(TYPE_TWICE));
        }
    }
    Ok(preserved::append(message, &preserved::members(unknown)))
}
