//! Checks shared by several calls.

use super::failure::{Failure, Violations};
use super::faults::asked_by_id;
use crate::check::{Findings, note_uuid};
use crate::wkt::Any;

/// The maximum length of a page token ([facts](crate::facts#paging)).
pub(crate) const MAX_TOKEN: usize = 128;
/// The maximum size of a task or policy: what fits into a message of 16 MiB with the server's additions.
pub(crate) const MAX_ITEM: usize = 16 * 1024 * 1024 - 4096;

/// Checks the identifier of the resource that a call is about.
pub(crate) fn id(field: &str, id: &str) -> Result<(), Failure> {
    asks_to_fail(id)?;
    let mut violations = Violations::default();
    note_id(&mut violations, field, id);
    violations.check()
}

/// Fails if the identifier asks for it, such as `code-14`.
pub(crate) fn asks_to_fail(id: &str) -> Result<(), Failure> {
    asked_by_id(id).map_or(Ok(()), |status| Err(status.into()))
}

/// Records an invalid identifier.
pub(crate) fn note_id(violations: &mut Violations, field: &str, id: &str) {
    let mut found = Findings::default();
    note_uuid(field, id, &mut found);
    violations.extend(found.into_refused());
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
