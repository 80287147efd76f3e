//! The causes of an error.

use std::error::Error;
use std::iter::successors;

/// Returns an error and its causes, those that the crate's error keeps for programs included.
pub fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| match error.downcast_ref::<eset_protect::Error>() {
        Some(error) => error.underlying().map(|cause| cause as _),
        None => error.source(),
    })
}
