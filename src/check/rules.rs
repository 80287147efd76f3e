//! What each type of message is checked for.

use super::problem::Findings;
use crate::wkt::Timestamp;

/// The rules for one type of message.
pub(crate) trait Rules {
    /// Records problems. `at` is the prefix for field paths: empty, or a path that ends with a dot.
    fn note(&self, at: &str, found: &mut Findings, now: Timestamp);
}
