//! Writes an `Any` as JSON.

use std::fmt::Display;

use prost::Message;
use serde::ser::Error as _;
use serde_json::{Error, Result};

use super::any::{Any, UnpackError, name_of};
use super::registry::TypeRegistry;
use super::settle::{self, Settled};
use crate::json::any_members::{TYPE, VALUE};
use crate::json::base64::Base64;
use crate::json::codec::Codec;
use crate::json::compact::Compact;
use crate::json::context::{self, InAny};
use crate::json::embedded::{only_unknown_value, only_value};
use crate::json::members::Members;
use crate::json::patch::Patch;
use crate::json::schema::MessageType;
use crate::json::{depth, path};
use crate::proto::eset_protect::v1::UnknownAny;

/// Writes an `Any`.
pub(super) fn write(any: &Any, json: &mut Compact) -> Result<()> {
    if !context::writes_strictly() && is_too_deep(any) {
        return write_bytes(any, json);
    }
    let _in_any = InAny::enter().map_err(Error::custom)?;
    write_message(any, json).map_err(|error| path::at_type(&any.type_url, &error))
}

/// Whether the JSON would be nested more deeply than readers accept: they read 127 levels. `Any`s
/// nested this deeply are so rare that measuring them by writing them does not matter.
fn is_too_deep(any: &Any) -> bool {
    /// The depth inside other `Any`s from which one is measured.
    const MEASURED: u32 = 4;
    /// The maximum number of levels of such an `Any`, including everything inside it.
    const MOST_LEVELS: usize = 64;
    if context::any_depth() != MEASURED {
        return false;
    }
    let Ok(_in_any) = InAny::enter() else { return true };
    let json = Compact::text(|json| write_message(any, json));
    !json.is_ok_and(|json| depth::check_levels(&json, MOST_LEVELS).is_ok())
}

fn write_message(any: &Any, json: &mut Compact) -> Result<()> {
    if any.type_url.is_empty() && any.value.is_empty() {
        json.raw("{}");
        return Ok(());
    }
    let settled = match settle::settle(any) {
        Ok(settled) => settled,
        Err(UnpackError::Decode { source, .. }) => return without_json(any, &source, json),
        Err(error) => return without_json(any, &error, json),
    };
    let name = name_of(&settled.type_url);
    if UnknownAny::is_named(name) {
        return match Unread::parse(any) {
            Ok(unread) => {
                unread.write(json);
                Ok(())
            }
            Err(problem) => without_json(any, &problem, json),
        };
    }
    let Some(known) = TypeRegistry::in_scope(name) else {
        let problem = "bytes of a type that is not registered cannot be written as JSON; \
                       add the type to a TypeRegistry";
        return without_json(any, &problem, json);
    };
    let known = &known.message_type;
    if context::writes_strictly()
        && let Some(number) = settle::undeclared(&settled.message, known)
    {
        let problem = format_args!("JSON has no place for the field {number}, which is unknown");
        return Err(Error::custom(problem));
    }
    if known.last_field().is_none()
        && only_unknown_value(&settled.members).is_some()
        && (known.normalize)(&settled.message).is_ok_and(|it| it.is_empty())
    {
        return without_json(any, &READS_AS_BYTES, json);
    }
    let start = json.len();
    write_known(known, &settled, json).or_else(|problem| {
        json.rewind(start);
        without_json(any, &problem, json)
    })
}

/// Writes a message of a known type, with the members that the type does not have.
fn write_known(known: &MessageType, settled: &Settled<'_>, json: &mut Compact) -> Result<()> {
    if settled.members.is_empty() {
        return known.write_in_any(Some(&settled.type_url), &settled.message, json);
    }
    let own = Compact::text(|own| known.write_in_any(None, &settled.message, own))?;
    let patch = Patch::new(&settled.members).map_err(Error::custom)?;
    patch.write_object(&own, Some(&settled.type_url), json)
}

/// Writes a message without a JSON form as bytes, unless the writer is strict.
fn without_json(any: &Any, problem: &dyn Display, json: &mut Compact) -> Result<()> {
    if context::writes_strictly() {
        return Err(Error::custom(problem));
    }
    write_bytes(any, json)
}

fn write_bytes(any: &Any, json: &mut Compact) -> Result<()> {
    json.object(|json| {
        json.field(TYPE);
        json.string(&any.type_url);
        json.field(VALUE);
        Base64::write(&any.value, json)
    })
}

/// The original JSON of an unknown type.
struct Unread {
    type_url: String,
    members: Members,
}

impl Unread {
    fn parse(any: &Any) -> std::result::Result<Self, String> {
        let UnknownAny { type_url, json } =
            UnknownAny::decode(any.value.clone()).map_err(|error| error.to_string())?;
        let members =
            Members::parse(&json).map_err(|error| format!("its JSON is broken: {error}"))?;
        if members.contains(TYPE) || type_url.is_empty() && members.is_empty() {
            return Err("its JSON must be an object without `@type`".to_owned());
        }
        if UnknownAny::is_named(name_of(&type_url)) {
            return Err("its JSON must be that of another type".to_owned());
        }
        if only_value(members.iter()).is_some() {
            return Err(READS_AS_BYTES.to_owned());
        }
        if name_of(&type_url).is_empty() && context::writes_strictly() {
            return Err("its JSON has no `@type` with the name of a type".to_owned());
        }
        Ok(Self { type_url, members })
    }

    fn write(&self, json: &mut Compact) {
        json.object(|json| {
            if !self.type_url.is_empty() {
                json.field(TYPE);
                json.string(&self.type_url);
            }
            self.members.write(json);
        });
    }
}

/// The problem of a message whose only unknown member is named `@value`.
const READS_AS_BYTES: &str = "its JSON would be read as bytes, for its member `@value`";
