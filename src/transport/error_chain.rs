//! Finds the causes of errors of other crates.

use std::error::Error as StdError;
use std::io;

use crate::error::cause;

/// An error of another crate.
pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// Returns the first error of a type among an error and its causes.
pub(super) fn find<'a, T: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An `io::Error` does not return the error it contains from `source`.
        let inner = || error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
        if let Some(found) = error.downcast_ref().or_else(inner) {
            return Some(found);
        }
        next = cause(error);
    }
    None
}
