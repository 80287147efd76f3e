//! Checks that several calls share.

use super::failure::{Failure, Violations};
use super::faults::asked_by_id;
use crate::check::{Findings, note_uuid};
use crate::wkt::Any;

/// Longest page token ([facts](crate::facts#paging)).
pub(crate) const MAX_TOKEN: usize = 128;
/// Largest task or policy: what fits into one message of 16 MiB with what the server adds to it.
pub(crate) const MAX_ITEM: usize = 16 * 1024 * 1024 - 4096;

/// An identifier that a call names its object with.
pub(crate) fn id(field: &str, id: &str) -> Result<(), Failure> {
    asks_to_fail(id)?;
    let mut violations = Violations::default();
    note_id(&mut violations, field, id);
    violations.check()
}

/// Fails if an identifier asks for it, as `code-14` does.
pub(crate) fn asks_to_fail(id: &str) -> Result<(), Failure> {
    asked_by_id(id).map_or(Ok(()), |status| Err(status.into()))
}

/// Notes what cannot be an identifier.
pub(crate) fn note_id(violations: &mut Violations, field: &str, id: &str) {
    let mut found = Findings::default();
    note_uuid(field, id, &mut found);
    violations.extend(found.into_refused());
}

/// Refuses what could be stored but never be sent back.
pub(crate) fn item_size(size: usize) -> Result<(), Failure> {
    if size <= MAX_ITEM {
        return Ok(());
    }
    Err(Failure::exhausted(format!("an item has at most {MAX_ITEM} bytes, this one has {size}")))
}

/// Makes of an `Any` what the checks saw in it, in whatever form it came, so that this is what is kept.
pub(crate) fn settle(any: &mut Any) {
    // JSON that does not fit its type is of no type that is checked: it stays as it came.
    any.normalize().ok();
}
