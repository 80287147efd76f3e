//! Merges members that came as unknown JSON into the bytes of a message whose type now has them.
//!
//! Nothing here writes JSON: the bytes of the message stay unchanged, and the merged members are appended.

use std::collections::{BTreeMap, HashMap};

use prost::DecodeError;
use prost::encoding::{WireType, encode_key, encode_varint};

use crate::json::embedded::{read_buffered, read_message};
use crate::json::members::Members;
use crate::json::open_enum::stands_for;
use crate::json::patch::Patch;
use crate::json::schema::{Field, FieldKey, FieldKind, FieldShape, MessageType};
use crate::json::wire::{self, WireField};
use crate::json::{context, preserved};
use crate::proto::eset_protect::v1::{UnknownMember, UnknownMembers};

/// The field numbers of a map entry.
const MAP_KEY: u32 = 1;
pub(super) const MAP_VALUE: u32 = 2;

/// Why the stored members cannot be read.
pub(super) enum Problem {
    Bytes(DecodeError),
    Json(String),
}

impl From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Self {
        Self::Bytes(error)
    }
}

/// Returns the message with the members that its type has, and the members that it does not have.
pub(super) fn merge(
    own: &[u8],
    message_type: &MessageType,
    members: &[UnknownMember],
) -> Result<(Vec<u8>, Vec<UnknownMember>), Problem> {
    let patch = Patch::new(members).map_err(Problem::Json)?;
    let mut merge = Merge { pointer: String::new(), unknown: Vec::new() };
    let merged = merge.message(own, message_type, &patch)?;
    Ok((merged, merge.unknown))
}

struct Merge {
    /// The current place in the JSON.
    pointer: String,
    /// The members that no type has.
    unknown: Vec<UnknownMember>,
}

/// A change to a field on the wire.
enum Edit<'a> {
    /// Replaces a number that represents an unknown name, because the name now has a number.
    Number(i32),
    /// Merges members into the field.
    Below(&'static Field, &'a str, &'a Patch),
}

impl Merge {
    /// Merges members into a message of this type.
    fn message(
        &mut self,
        own: &[u8],
        message_type: &MessageType,
        patch: &Patch,
    ) -> Result<Vec<u8>, Problem> {
        let Some(fields) = message_type.fields() else {
            return Err(self.problem("the type there keeps no unknown members"));
        };
        let wire = wire::fields(own).collect::<Result<Vec<_>, _>>()?;
        let mut edits = BTreeMap::new();
        let mut added = Members::default();
        for (name, node) in patch.below() {
            let Some(field) = fields.iter().find(|field| field.is_called(name)) else {
                self.keep(name, node);
                continue;
            };
            let Some(value) = node.value() else {
                edits.insert(field.number, Edit::Below(field, name, node));
                continue;
            };
            match stand_in(field, &wire, value) {
                Some(Some(number)) => drop(edits.insert(field.number, Edit::Number(number))),
                Some(None) => self.keep(name, node),
                None if is_set(field, fields, &wire) => {}
                None => {
                    let added = added.add(name.to_owned(), value.to_owned());
                    added.map_err(|error| self.problem(error))?;
                }
            }
        }
        let mut merged = self.edited(&wire, &edits, own.len())?;
        for (number, edit) in edits {
            if let Edit::Number(value) = edit {
                prost::encoding::int32::encode(number, &value, &mut merged);
            }
        }
        if !added.is_empty() {
            self.add(&added, message_type, &mut merged)?;
        }
        Ok(merged)
    }

    /// Adds members that are not set yet.
    fn add(
        &mut self,
        added: &Members,
        message_type: &MessageType,
        merged: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let _options = context::options().reading_stored().apply();
        let read = read_buffered(&added.to_json(), |object| read_message(message_type, object))
            .map_err(|error| self.problem(error))?;
        match preserved::split(&read)? {
            None => merged.extend(read),
            Some((read, UnknownMembers { members })) => {
                merged.extend(read);
                let names = self.pointer.len().saturating_mul(members.len());
                if names > context::MAX_POINTERS {
                    return Err(self.problem(context::TOO_LONG));
                }
                self.unknown.extend(members.into_iter().map(|member| UnknownMember {
                    pointer: format!("{}{}", self.pointer, member.pointer),
                    ..member
                }));
            }
        }
        Ok(())
    }

    /// Returns the fields of a message with some of them changed.
    fn edited(
        &mut self,
        wire: &[WireField<'_>],
        edits: &BTreeMap<u32, Edit<'_>>,
        size: usize,
    ) -> Result<Vec<u8>, Problem> {
        let mut edited = Vec::with_capacity(size);
        let mut seen: HashMap<u32, usize> = HashMap::new();
        for field in wire {
            let (declared, name, patch) = match edits.get(&field.number) {
                None => {
                    edited.extend_from_slice(field.whole);
                    continue;
                }
                Some(Edit::Number(_)) => continue,
                Some(Edit::Below(declared, name, patch)) => (declared, *name, *patch),
            };
            let index = seen.entry(field.number).or_default();
            let outer = self.enter(name);
            match (declared.shape, declared.kind) {
                (FieldShape::Single, FieldKind::Message(inner)) if *index == 0 => {
                    // The parts of one message may not be adjacent.
                    let parts = wire.iter().filter(|part| part.number == field.number);
                    let whole = parts.flat_map(|part| part.value).copied().collect::<Vec<_>>();
                    let inner = self.message(&whole, &inner(), patch)?;
                    write_bytes(field.number, &inner, &mut edited);
                }
                (FieldShape::Single, FieldKind::Message(_)) => {}
                (FieldShape::List, FieldKind::Message(inner)) => {
                    let segment = index.to_string();
                    match patch.at(&segment).filter(|patch| patch.value().is_none()) {
                        Some(patch) => {
                            self.enter(&segment);
                            let inner = self.message(field.value, &inner(), patch)?;
                            write_bytes(field.number, &inner, &mut edited);
                        }
                        None => edited.extend_from_slice(field.whole),
                    }
                }
                (FieldShape::List, FieldKind::Enum(known)) => {
                    for value in values(field) {
                        let segment = index.to_string();
                        let value = self.enum_of(value, known, &segment, patch.at(&segment));
                        prost::encoding::int32::encode(field.number, &value, &mut edited);
                        *index += 1;
                    }
                    self.pointer.truncate(outer);
                    continue;
                }
                (FieldShape::Map(key), kind) => {
                    let entry = self.entry(field, key, kind, patch)?;
                    write_bytes(field.number, &entry, &mut edited);
                }
                // There is no place for the members: the field is now a plain value.
                (FieldShape::Single | FieldShape::List, _) => {
                    edited.extend_from_slice(field.whole);
                }
            }
            *index += 1;
            self.pointer.truncate(outer);
        }
        Ok(edited)
    }

    /// Returns a map entry, perhaps changed.
    fn entry(
        &mut self,
        field: &WireField<'_>,
        key: FieldKey,
        kind: FieldKind,
        patch: &Patch,
    ) -> Result<Vec<u8>, Problem> {
        let parts = wire::fields(field.value).collect::<Result<Vec<_>, _>>()?;
        let name = key_text(key, parts.iter().rfind(|part| part.number == MAP_KEY));
        let Some((name, patch)) = name.and_then(|name| patch.at(&name).map(|at| (name, at))) else {
            return Ok(field.value.to_vec());
        };
        let mut entry = Vec::with_capacity(field.value.len());
        for part in parts.iter().filter(|part| part.number != MAP_VALUE) {
            entry.extend_from_slice(part.whole);
        }
        let mut values = parts.iter().filter(|part| part.number == MAP_VALUE);
        match kind {
            FieldKind::Message(inner) if patch.value().is_none() => {
                let whole = values.flat_map(|part| part.value).copied().collect::<Vec<_>>();
                self.enter(&name);
                let inner = self.message(&whole, &inner(), patch)?;
                if !inner.is_empty() {
                    write_bytes(MAP_VALUE, &inner, &mut entry);
                }
                Ok(entry)
            }
            FieldKind::Enum(known) => {
                let value =
                    values.next_back().and_then(WireField::varint).unwrap_or_default() as i32;
                let whole = self.pointer.len();
                let value = self.enum_of(value, known, &name, Some(patch));
                self.pointer.truncate(whole);
                prost::encoding::int32::encode(MAP_VALUE, &value, &mut entry);
                Ok(entry)
            }
            FieldKind::Message(_) | FieldKind::Bool | FieldKind::Text | FieldKind::Scalar => {
                Ok(field.value.to_vec())
            }
        }
    }

    /// Returns the number of an enum value, for which an unknown name may be stored.
    fn enum_of(
        &mut self,
        value: i32,
        values: &[(&str, i32)],
        segment: &str,
        patch: Option<&Patch>,
    ) -> i32 {
        let Some(patch) = patch else { return value };
        let name = patch.value().and_then(text).filter(|name| stands_for(value, name));
        let Some(name) = name else { return value };
        number_of(values, &name).unwrap_or_else(|| {
            self.keep(segment, patch);
            value
        })
    }

    /// Keeps a member that no type has. Members below it are part of it, or have no place in the JSON.
    fn keep(&mut self, name: &str, node: &Patch) {
        if let Some(value) = node.value() {
            let pointer = format!("{}{}", self.pointer, context::pointer_segment(name));
            self.unknown.push(UnknownMember { pointer, json: value.to_owned() });
        }
    }

    /// Enters a level of the JSON. Returns the length to [`String::truncate`] to when leaving it.
    fn enter(&mut self, name: &str) -> usize {
        let outer = self.pointer.len();
        self.pointer.push_str(&context::pointer_segment(name));
        outer
    }

    fn problem(&self, problem: impl std::fmt::Display) -> Problem {
        match self.pointer.as_str() {
            "" => Problem::Json(problem.to_string()),
            pointer => Problem::Json(format!("at `{pointer}`: {problem}")),
        }
    }
}

/// Whether a field, or another field of the same oneof, is set and takes precedence.
fn is_set(field: &Field, fields: &[Field], wire: &[WireField<'_>]) -> bool {
    let is_rival = |number| {
        let rival = fields.iter().find(|rival| rival.number == number);
        rival.is_some_and(|rival| rival.oneof.is_some() && rival.oneof == field.oneof)
    };
    wire.iter().any(|set| set.number == field.number || is_rival(set.number))
}

/// Returns the number of a name that is stored for a field's value: `None` if the value represents no name,
/// `Some(None)` if the name is still unknown.
fn stand_in(field: &Field, wire: &[WireField<'_>], name: &str) -> Option<Option<i32>> {
    let (FieldShape::Single, FieldKind::Enum(known)) = (field.shape, field.kind) else {
        return None;
    };
    let set = wire.iter().rfind(|set| set.number == field.number)?.varint()? as i32;
    let name = text(name).filter(|name| stands_for(set, name))?;
    Some(number_of(known, &name))
}

/// Returns the number of an enum name.
fn number_of(values: &[(&str, i32)], name: &str) -> Option<i32> {
    values.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

fn text(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// Returns the values of a list of enums, packed or not.
fn values(field: &WireField<'_>) -> Vec<i32> {
    if field.wire_type == WireType::Varint {
        return field.varint().map(|value| value as i32).into_iter().collect();
    }
    let mut rest = field.value;
    std::iter::from_fn(|| match rest {
        [] => None,
        _ => prost::encoding::decode_varint(&mut rest).ok().map(|value| value as i32),
    })
    .collect()
}

/// Returns the key of an entry in its JSON form; the default if it is missing.
fn key_text(key: FieldKey, part: Option<&WireField<'_>>) -> Option<String> {
    let value = part.map_or(&[][..], |part| part.value);
    let varint = part.and_then(WireField::varint).unwrap_or_default();
    let fixed = || match *value {
        [a, b, c, d] => Some(u64::from(u32::from_le_bytes([a, b, c, d]))),
        _ => Some(u64::from_le_bytes(value.try_into().ok()?)),
    };
    Some(match key {
        FieldKey::Text => str::from_utf8(value).ok()?.to_owned(),
        FieldKey::Bool => (varint != 0).to_string(),
        FieldKey::Unsigned => varint.to_string(),
        FieldKey::Signed => varint.cast_signed().to_string(),
        FieldKey::ZigZag => {
            ((varint >> 1).cast_signed() ^ -((varint & 1).cast_signed())).to_string()
        }
        FieldKey::Fixed if value.is_empty() => "0".to_owned(),
        FieldKey::Fixed => fixed()?.to_string(),
        FieldKey::SignedFixed if value.is_empty() => "0".to_owned(),
        FieldKey::SignedFixed if value.len() == 4 => (fixed()? as u32).cast_signed().to_string(),
        FieldKey::SignedFixed => fixed()?.cast_signed().to_string(),
    })
}

fn write_bytes(number: u32, bytes: &[u8], message: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, message);
    encode_varint(bytes.len() as u64, message);
    message.extend_from_slice(bytes);
}
