//! All message types of the crate, by name.
//!
//! `build.rs` generates the list from the descriptors, so no registration is needed.

use crate::json::message::message_type;
use crate::json::schema::MessageType;

/// Returns the type of this full name.
pub(crate) fn find(name: &str) -> Option<MessageType> {
    let found = TYPES.binary_search_by_key(&name, |(name, _)| name);
    found.ok().and_then(|at| TYPES.get(at)).map(|(_, message_type)| *message_type)
}

include!(concat!(env!("OUT_DIR"), "/types.rs"));
