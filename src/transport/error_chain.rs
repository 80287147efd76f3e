//! Finds the causes of errors of other crates.

use std::error::Error as StdError;

/// An error of another crate.
pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// Returns the first error of a type along the chain of sources, the error itself included.
pub(super) fn find<'a, T: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
