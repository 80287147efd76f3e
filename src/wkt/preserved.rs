//! The extra field that carries what JSON had and a schema does not have.

use bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field};
use prost::{DecodeError, Message};

use crate::proto::eset_protect::v1::{UnknownMember, UnknownMembers};
use crate::protojson::context::Unknown;

/// Its number; 19000 to 19999 are reserved by the protobuf language itself.
const FIELD: u32 = 19_777;

/// A message with the members behind it.
pub fn append(mut message: Vec<u8>, members: &UnknownMembers) -> Vec<u8> {
    if !members.members.is_empty() {
        prost::encoding::message::encode(FIELD, members, &mut message);
    }
    message
}

/// What was kept while a message was read.
pub fn members(unknown: Vec<Unknown>) -> UnknownMembers {
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

/// The members behind a message; empty if there are none. Looks at the message's own fields only.
pub fn find(message: &[u8]) -> Result<UnknownMembers, DecodeError> {
    let mut found = UnknownMembers::default();
    let mut rest = message;
    while rest.has_remaining() {
        let (number, wire_type) = decode_key(&mut rest)?;
        if number == FIELD && wire_type == WireType::LengthDelimited {
            let mut members = UnknownMembers::default();
            members.merge_length_delimited(&mut rest)?;
            found.members.append(&mut members.members);
        } else {
            skip_field(wire_type, number, &mut rest, DecodeContext::default())?;
        }
    }
    Ok(found)
}
