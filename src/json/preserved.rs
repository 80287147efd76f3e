//! Reads and writes the extra field that stores JSON members unknown to the schema.

use prost::encoding::WireType;
use prost::{DecodeError, Message};

use super::wire::{self, WireField};
use crate::proto::eset_protect::v1::{UnknownMember, UnknownMembers};

/// The field number. The protobuf language reserves 19000 to 19999.
const FIELD: u32 = 19_777;

/// Appends members to a message.
pub(crate) fn append(mut message: Vec<u8>, members: &UnknownMembers) -> Vec<u8> {
    if !members.members.is_empty() {
        prost::encoding::message::encode(FIELD, members, &mut message);
    }
    message
}

/// Returns the members that were kept while reading a message, sorted: their order has no meaning in JSON, and equal
/// values get equal bytes.
pub(crate) fn members(mut members: Vec<UnknownMember>) -> UnknownMembers {
    members.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    UnknownMembers { members }
}

/// Separates a message from its appended members; `None` if there are none. Checks the top level only.
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
