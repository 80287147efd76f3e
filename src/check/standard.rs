//! Rules that the standard methods of all services share (AIP-131 to AIP-135).

use super::problem::{Findings, ProblemKind};

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

/// Requests that identify one resource.
macro_rules! names_one {
    ($($request:ident by $field:ident;)*) => { $(
        impl Rules for $request {
            fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
                note_uuid(format_args!("{at}{}", stringify!($field)), &self.$field, found);
            }
        }
    )* };
}
pub(super) use names_one;

/// Requests that contain the resource to create.
macro_rules! creates {
    ($($request:ident of $field:ident;)*) => { $(
        impl Rules for $request {
            fn note(&self, at: &str, found: &mut Findings, now: Timestamp) {
                let name = stringify!($field);
                match &self.$field {
                    Some(item) => item.note(&format!("{at}{name}."), found, now),
                    None => {
                        let (kind, field) = (ProblemKind::Refused, format_args!("{at}{name}"));
                        found.missing(kind, field, &format!("the {name}"));
                    }
                }
            }
        }
    )* };
}
pub(super) use creates;

/// The maximum length of a page token (`maxLength` in ESET's OpenAPI documents).
const MAX_TOKEN: usize = 128;

pub(super) fn note_token(at: &str, token: &str, found: &mut Findings) {
    if token.chars().nth(MAX_TOKEN).is_some() {
        let expected = format!("a token of at most {MAX_TOKEN} characters");
        found.wrong(ProblemKind::Refused, format_args!("{at}page_token"), token, &expected);
    }
}

/// Checks a display name.
pub(super) fn note_name(field: &str, name: &str, found: &mut Findings) {
    if name.trim().is_empty() {
        found.missing(ProblemKind::Wrong, field, "a name");
    }
}
