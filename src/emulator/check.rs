//! Checks shared by several calls.

use super::failure::Failure;
use super::faults::asked_by_id;
use crate::check::{Findings, note_uuid};
use crate::wkt::Any;

/// The maximum size of a task or policy: what fits into a message of 16 MiB with the server's additions.
pub(crate) const MAX_ITEM: usize = 16 * 1024 * 1024 - 4096;

/// Whether a text can be an identifier, and one that asks for no failure.
pub(crate) fn is_id(id: &str) -> bool {
    let mut found = Findings::default();
    note_uuid("uuid", id, &mut found);
    found.into_refused().is_empty() && asked_by_id(id).is_none()
}

/// Refuses items that could be stored but never returned.
pub(crate) fn item_size(size: usize) -> Result<(), Failure> {
    if size <= MAX_ITEM {
        return Ok(());
    }
    Err(Failure::exhausted(format!("the item has {size} bytes, at most {MAX_ITEM} are allowed")))
}

/// Normalizes an `Any` to the message that the checks saw, so that this is what is stored.
pub(crate) fn settle(any: &mut Any) {
    // JSON that does not match its type belongs to no type that is checked; it stays unchanged.
    any.normalize().ok();
}
