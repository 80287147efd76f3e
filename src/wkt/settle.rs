//! Interprets an `Any` with the types known here.
//!
//! The JSON stored in an `Any` was unknown to the program that read it. Types and members that this version
//! knows become part of the message, so that every view of the `Any` agrees.

use std::borrow::Cow;

use bytes::Bytes;
use prost::Message;
use prost::encoding::WireType;

use super::any::{Any, UnpackError, name_of};
use super::merge::{MAP_VALUE, Problem, merge};
use super::registry::TypeRegistry;
use crate::json::embedded::{read_buffered, read_message};
use crate::json::patch::Patch;
use crate::json::schema::{FieldKind, FieldShape, MessageType};
use crate::json::{context, preserved, wire};
use crate::proto::eset_protect::v1::{UnknownAny, UnknownMember, UnknownMembers};

/// An interpreted `Any`.
pub(super) struct Settled<'a> {
    /// The type URL.
    pub type_url: Cow<'a, str>,
    /// The message, without stored members.
    pub message: Bytes,
    /// The members that the type does not have.
    pub members: Vec<UnknownMember>,
    /// Whether this differs from the original.
    pub is_changed: bool,
}

/// Merges the stored members that the type has by now. Fields that the message itself sets take precedence.
pub(super) fn settle(any: &Any) -> Result<Settled<'_>, UnpackError> {
    let known = read_known(any)?;
    let mut is_changed = known.is_some();
    let any = known.map_or(Cow::Borrowed(any), Cow::Owned);
    let at = |problem| match problem {
        Problem::Bytes(source) => UnpackError::Decode { type_url: any.type_url.clone(), source },
        Problem::Json(problem) => UnpackError::Json { type_url: any.type_url.clone(), problem },
    };
    let carried = preserved::split(&any.value).map_err(|error| at(error.into()))?;
    let (message, members) = match carried {
        None => (any.value.clone(), Vec::new()),
        Some((own, UnknownMembers { members })) => {
            let registered = TypeRegistry::in_scope(name_of(&any.type_url));
            match registered.map(|registered| registered.message_type) {
                Some(message_type) if message_type.fields().is_some() => {
                    let merged = merge(&own, &message_type, &members).map_err(at)?;
                    is_changed |= merged.0 != own || merged.1.len() != members.len();
                    (merged.0.into(), merged.1)
                }
                Some(message_type) => {
                    Patch::new(&members).map_err(|problem| at(Problem::Json(problem)))?;
                    // The member `value` of a well-known type is the message itself.
                    let is_well_known = message_type.last_field().is_some();
                    if is_well_known && members.iter().any(|member| is_in_value(&member.pointer)) {
                        let problem = "at `/value`: the type there keeps no unknown members";
                        return Err(at(Problem::Json(problem.to_owned())));
                    }
                    (own.into(), members)
                }
                None => (own.into(), members),
            }
        }
    };
    let type_url = match any {
        Cow::Borrowed(any) => Cow::Borrowed(any.type_url.as_str()),
        Cow::Owned(any) => Cow::Owned(any.type_url),
    };
    Ok(Settled { type_url, message, members, is_changed })
}

/// Whether a JSON Pointer leads to or into the member that contains the JSON of a well-known type.
fn is_in_value(pointer: &str) -> bool {
    pointer.strip_prefix("/value").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the number of a field that the message contains but its type does not declare, at any depth. The
/// bytes must decode as the type.
pub(super) fn undeclared(message: &[u8], message_type: &MessageType) -> Option<u32> {
    let mut wire = wire::fields(message).filter_map(Result::ok);
    if let Some(last_field) = message_type.last_field() {
        return wire.find(|field| field.number > last_field).map(|field| field.number);
    }
    let fields = message_type.fields()?;
    wire.find_map(|field| {
        let Some(declared) = fields.iter().find(|declared| declared.number == field.number) else {
            return Some(field.number);
        };
        let FieldKind::Message(inner) = declared.kind else { return None };
        let inner = inner();
        if !matches!(declared.shape, FieldShape::Map(_)) {
            return undeclared(field.value, &inner);
        }
        let mut parts = wire::fields(field.value).filter_map(Result::ok);
        parts.find(|part| part.number == MAP_VALUE).and_then(|part| undeclared(part.value, &inner))
    })
}

/// Returns the type URL of an `UnknownAny` whose type is known by now.
pub(super) fn known_type_url(any: &Any) -> Option<&str> {
    if !UnknownAny::is_named(name_of(&any.type_url)) {
        return None;
    }
    // The last one counts, as in every decoder.
    let mut type_url = None;
    for field in wire::fields(&any.value) {
        let field = field.ok()?;
        if field.number == 1 && field.wire_type == WireType::LengthDelimited {
            type_url = Some(field.value);
        }
    }
    let type_url = str::from_utf8(type_url?).ok()?;
    let name = name_of(type_url);
    let is_known = TypeRegistry::in_scope(name).is_some();
    (is_known && !UnknownAny::is_named(name)).then_some(type_url)
}

/// Reads the JSON of an `UnknownAny` whose type is known by now.
fn read_known(any: &Any) -> Result<Option<Any>, UnpackError> {
    let Some(type_url) = known_type_url(any) else { return Ok(None) };
    let Some(registered) = TypeRegistry::in_scope(name_of(type_url)) else { return Ok(None) };
    let unknown = UnknownAny::decode(any.value.clone())
        .map_err(|source| UnpackError::Decode { type_url: any.type_url.clone(), source })?;
    let _options = context::options().reading_stored().apply();
    let read =
        read_buffered(&unknown.json, |object| read_message(&registered.message_type, object));
    match read {
        Ok(value) => Ok(Some(Any { type_url: unknown.type_url, value: value.into() })),
        Err(error) => {
            Err(UnpackError::Json { type_url: unknown.type_url, problem: error.to_string() })
        }
    }
}
