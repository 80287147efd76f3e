//! Writes an `Any` as JSON.

use std::fmt::Display;

use prost::Message;
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::any::{Any, UnpackError, name_of};
use super::registry::{TypeRegistry, raw_json, well_known_json};
use super::settle::{self, Settled};
use super::{BytesValue, merge, types};
use crate::json::any_members::{TYPE, VALUE};
use crate::json::context::{self, InAny};
use crate::json::embedded::{as_bytes, only_value};
use crate::json::members::Members;
use crate::json::message::{JsonMessage, JsonObject, TypeVisitor, write_object};
use crate::json::patch::Patched;
use crate::json::raw::Json;
use crate::json::{compact, depth, path};
use crate::proto::eset_protect::v1::UnknownAny;

/// Writes an `Any`.
pub(super) fn write<S: Serializer>(any: &Any, serializer: S) -> Result<S::Ok, S::Error> {
    if !context::writes_strictly() && is_too_deep(any) {
        return write_bytes(any, serializer);
    }
    let _in_any = InAny::enter().map_err(S::Error::custom)?;
    write_message(any, serializer)
        .map_err(|error| S::Error::custom(path::at_type(&any.type_url, &error)))
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
    let json = compact::written(|compact| write_message(any, compact));
    !json.is_ok_and(|json| depth::check_levels(&json, MOST_LEVELS).is_ok())
}

fn write_message<S: Serializer>(any: &Any, serializer: S) -> Result<S::Ok, S::Error> {
    if any.type_url.is_empty() && any.value.is_empty() {
        return serializer.serialize_map(None)?.end();
    }
    let settled = match settle::settle(any) {
        Ok(settled) => settled,
        Err(UnpackError::Decode { source, .. }) => return without_json(any, &source, serializer),
        Err(error) => return without_json(any, &error, serializer),
    };
    let name = name_of(&settled.type_url);
    if UnknownAny::is_named(name) {
        return match Unread::parse(any) {
            Ok(unread) => unread.write(serializer),
            Err(problem) => without_json(any, &problem, serializer),
        };
    }
    if context::writes_strictly()
        && let Some(registered) = TypeRegistry::in_scope(name)
        && let Some(number) = settle::undeclared(&settled.message, &registered.message_type)
    {
        let problem = format_args!("JSON has no place for the field {number}, which is unknown");
        return Err(S::Error::custom(problem));
    }
    if let Some(added) = TypeRegistry::added_in_scope(name) {
        return match added.write(&settled.message) {
            Ok(_)
                if has_only_bytes(&settled)
                    && added.normalize(&settled.message).is_ok_and(|it| it.is_empty()) =>
            {
                without_json(any, &READS_AS_BYTES, serializer)
            }
            Ok(json) => patched(&json, &settled, serializer),
            Err(problem) => without_json(any, &problem, serializer),
        };
    }
    types::visit(name, Write { any, settled: &settled, serializer })
}

/// Writes a message without a JSON form as bytes, unless the writer is strict.
fn without_json<S: Serializer>(
    any: &Any,
    problem: &dyn Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if context::writes_strictly() {
        return Err(S::Error::custom(problem));
    }
    write_bytes(any, serializer)
}

fn write_bytes<S: Serializer>(any: &Any, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry(TYPE, &any.type_url)?;
    map.serialize_entry(VALUE, &BytesValue { value: any.value.clone() })?;
    map.end()
}

/// The original JSON of an unknown type.
struct Unread {
    type_url: String,
    members: Members,
}

impl Unread {
    fn parse(any: &Any) -> Result<Self, String> {
        let UnknownAny { type_url, json } =
            UnknownAny::decode(any.value.clone()).map_err(|error| error.to_string())?;
        let members: Members =
            serde_json::from_str(&json).map_err(|error| format!("its JSON is broken: {error}"))?;
        if members.contains(TYPE) || type_url.is_empty() && members.is_empty() {
            return Err("its JSON must be an object without `@type`".to_owned());
        }
        if UnknownAny::is_named(name_of(&type_url)) {
            return Err("its JSON must be that of another type".to_owned());
        }
        if as_bytes(&members).is_some() {
            return Err(READS_AS_BYTES.to_owned());
        }
        if name_of(&type_url).is_empty() && context::writes_strictly() {
            return Err("its JSON has no `@type` with the name of a type".to_owned());
        }
        Ok(Self { type_url, members })
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.type_url.is_empty() {
            map.serialize_entry(TYPE, &self.type_url)?;
        }
        for (name, json) in self.members.iter() {
            map.serialize_entry(name, &Json(json))?;
        }
        map.end()
    }
}

struct Write<'a, S> {
    any: &'a Any,
    settled: &'a Settled<'a>,
    serializer: S,
}

impl<S: Serializer> TypeVisitor for Write<'_, S> {
    type Output = Result<S::Ok, S::Error>;

    fn message<M: JsonObject>(self) -> Self::Output {
        let Settled { type_url, message, members, .. } = self.settled;
        let message = match M::decode(&**message) {
            Ok(message) => message,
            Err(error) => return without_json(self.any, &error, self.serializer),
        };
        if members.is_empty() {
            return write_object(&message, Some(type_url), self.serializer);
        }
        if has_only_bytes(self.settled) && message.encoded_len() == 0 {
            return without_json(self.any, &READS_AS_BYTES, self.serializer);
        }
        let json = raw_json(&message).map_err(S::Error::custom)?;
        patched(&json, self.settled, self.serializer)
    }

    fn well_known<M: JsonMessage>(self) -> Self::Output {
        let Settled { type_url, message, members, .. } = self.settled;
        let message = match M::decode(&**message) {
            Ok(message) => message,
            Err(error) => return without_json(self.any, &error, self.serializer),
        };
        if members.is_empty() {
            let mut map = self.serializer.serialize_map(None)?;
            map.serialize_entry(TYPE, type_url)?;
            map.serialize_entry("value", &message)
                .map_err(|error| S::Error::custom(path::at_field("value", &error)))?;
            return map.end();
        }
        let json = well_known_json(&message).map_err(S::Error::custom)?;
        patched(&json, self.settled, self.serializer)
    }

    fn unknown(self) -> Self::Output {
        let problem = "bytes of a type that is not registered cannot be written as JSON; \
                       add the type to a TypeRegistry";
        without_json(self.any, &problem, self.serializer)
    }
}

/// The problem of a message whose only unknown member is named `@value`.
const READS_AS_BYTES: &str = "its JSON would be read as bytes, for its member `@value`";

/// Whether a reader of the JSON would read the unknown members of a message without fields as its bytes.
fn has_only_bytes(settled: &Settled<'_>) -> bool {
    !settled.members.is_empty()
        && only_value(settled.members.iter().map(|member| {
            let name = member.pointer.strip_prefix('/').unwrap_or_default();
            (name, member.json.as_str())
        }))
        .is_some()
}

fn patched<S: Serializer>(
    json: &RawValue,
    settled: &Settled<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let patch = merge::patch(&settled.members).map_err(S::Error::custom)?;
    Patched { json, patch: &patch, type_url: Some(&settled.type_url) }.serialize(serializer)
}
