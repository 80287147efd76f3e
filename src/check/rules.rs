//! What a type of message is checked for beyond its schema.

use super::problem::{Findings, ProblemKind};
use crate::wkt::Timestamp;

/// The rules for one type of message.
pub(crate) trait Rules {
    /// Records problems. `at` is the prefix for field paths: empty, or a path that ends with a dot.
    fn note(&self, at: &str, found: &mut Findings, now: Timestamp);
}

/// Messages that have rules.
macro_rules! checked {
    ($($message:ident)*) => {
        /// The rules for a message, if it is one of these.
        pub(super) fn rules(message: &dyn std::any::Any) -> Option<&dyn Rules> {
            $(
                if let Some(message) = message.downcast_ref::<$message>() {
                    return Some(message);
                }
            )*
            None
        }
    };
}
pub(super) use checked;

/// Requests that contain a message with rules.
macro_rules! contains {
    ($($request:ident of $field:ident;)*) => { $(
        impl Rules for $request {
            fn note(&self, at: &str, found: &mut Findings, now: Timestamp) {
                if let Some(message) = &self.$field {
                    message.note(&format!("{at}{}.", stringify!($field)), found, now);
                }
            }
        }
    )* };
}
pub(super) use contains;

/// Checks a display name.
pub(super) fn note_name(field: &str, name: &str, found: &mut Findings) {
    if name.trim().is_empty() {
        found.missing(ProblemKind::Wrong, field, "a name");
    }
}
