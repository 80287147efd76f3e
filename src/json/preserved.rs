//! The extra field that carries what JSON had and a schema does not have.

use prost::encoding::WireType;
use prost::{DecodeError, Message};

use super::context::Unknown;
use super::wire::{self, WireField};
use crate::proto::eset_protect::v1::{UnknownMember, UnknownMembers};

/// Its number; 19000 to 19999 are reserved by the protobuf language itself.
const FIELD: u32 = 19_777;

/// A message with the members behind it.
pub(crate) fn append(mut message: Vec<u8>, members: &UnknownMembers) -> Vec<u8> {
    if !members.members.is_empty() {
        prost::encoding::message::encode(FIELD, members, &mut message);
    }
    message
}

/// What was kept while a message was read.
pub(crate) fn members(unknown: Vec<Unknown>) -> UnknownMembers {
    let mut members: Vec<_> = unknown
        .into_iter()
        .map(|unknown| UnknownMember {
            pointer: unknown.pointer,
            json: String::from(Box::<str>::from(unknown.json)),
        })
        .collect();
    // The order of members means nothing in JSON: the same values give the same bytes.
    members.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    UnknownMembers { members }
}

/// A message and the members after it; `None` if there are none. Looks at the message's own fields only.
pub(crate) fn split(message: &[u8]) -> Result<Option<(Vec<u8>, UnknownMembers)>, DecodeError> {
    let mut carries = false;
    for field in wire::fields(message) {
        carries |= is_carrier(&field?);
    }
    if !carries {
        return Ok(None);
    }
    let mut own = Vec::with_capacity(message.len());
    let mut members = UnknownMembers::default();
    for field in wire::fields(message) {
        let field = field?;
        if is_carrier(&field) {
            members.merge(field.value)?;
        } else {
            own.extend_from_slice(field.whole);
        }
    }
    Ok(Some((own, members)))
}

fn is_carrier(field: &WireField<'_>) -> bool {
    field.number == FIELD && field.wire_type == WireType::LengthDelimited
}
