//! Encoded messages that keep JSON members that their type does not have, for bridges, which only pass them on.
//!
//! An extra field contains these members, the same one as in the message inside an [`Any`](super::Any).

use bytes::Bytes;
use serde::de::Error as _;
use serde_json::{Error, Result};

use super::merge::{Problem, merge};
use crate::json::compact::Compact;
use crate::json::context;
use crate::json::patch::Patch;
use crate::json::preserved;
use crate::json::schema::MessageType;
#[cfg(feature = "serve")]
use crate::json::{context::Collecting, parser::Parser};
use crate::proto::eset_protect::v1::UnknownMembers;

/// Encodes a message from its JSON.
#[cfg(feature = "serve")]
pub(crate) fn read(message_type: &MessageType, parser: &mut Parser<'_>) -> Result<Vec<u8>> {
    let collecting = Collecting::begin();
    let message = (message_type.read)(parser)?;
    let mut kept = preserved::members(collecting.end().map_err(Error::custom)?);
    // Of equal names the last counts, as in most readers of JSON.
    kept.members.dedup_by(|later, earlier| {
        let is_same = later.pointer == earlier.pointer;
        if is_same {
            std::mem::swap(later, earlier);
        }
        is_same
    });
    Ok(preserved::append(message, &kept))
}

/// Writes the JSON of an encoded message. Only a strict writer refuses members that cannot be put back.
pub(crate) fn write(message_type: &MessageType, message: &Bytes, json: &mut Compact) -> Result<()> {
    let carried = preserved::split(message).map_err(Error::custom)?;
    let Some((own, members)) = carried else { return (message_type.write)(message, json) };
    let start = json.len();
    write_with(message_type, &own, &members, json).or_else(|problem| {
        if context::writes_strictly() {
            return Err(problem);
        }
        json.rewind(start);
        (message_type.write)(&own.into(), json)
    })
}

/// Writes it with its members. Those that the type has by now become fields, unless one has another type than its
/// field: then all of them are put back as they are.
fn write_with(
    message_type: &MessageType,
    own: &[u8],
    UnknownMembers { members }: &UnknownMembers,
    json: &mut Compact,
) -> Result<()> {
    let own_json = |own: Bytes| Compact::text(|json| (message_type.write)(&own, json));
    if context::writes_strictly() {
        // Merging drops members without a place.
        let json = own_json(own.to_vec().into())?;
        let patch = Patch::new(members).map_err(Error::custom)?;
        patch.write_object(&json, None, &mut Compact::default())?;
    }
    let (message, members) = match merge(own, message_type, members) {
        Ok(merged) => merged,
        Err(Problem::Json(_)) if !context::writes_strictly() => (own.to_vec(), members.clone()),
        Err(Problem::Json(problem)) => return Err(Error::custom(problem)),
        Err(Problem::Bytes(error)) => return Err(Error::custom(error)),
    };
    let patch = Patch::new(&members).map_err(Error::custom)?;
    patch.write_object(&own_json(message.into())?, None, json)
}
