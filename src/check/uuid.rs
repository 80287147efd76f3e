//! Checks of UUIDs.

use std::fmt;

use super::problem::{Findings, ProblemKind};

/// The maximum length of a UUID (`maxLength` in ESET's OpenAPI documents).
const MAX: usize = 100;

/// Checks a UUID. ESET calls UUIDs opaque and tells clients not to rely on RFC 4122, so any text is accepted
/// that is neither empty nor too long and contains no separators, quotes or brackets: these show that a list
/// or a quoted UUID was passed.
pub(crate) fn note_uuid(field: impl fmt::Display, uuid: &str, found: &mut Findings) {
    let is_separator = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, ',' | ';' | '"' | '\'' | '`')
            || matches!(c, '{' | '}' | '[' | ']')
    };
    if uuid.is_empty() {
        found.missing(ProblemKind::Refused, field, "a UUID");
    } else if uuid.contains(is_separator) {
        let bare = uuid.trim_matches(is_separator);
        let suggestion = Some(bare).filter(|bare| !bare.is_empty() && !bare.contains(is_separator));
        let expected = "one UUID without spaces, commas, quotes or brackets";
        let suggestion = suggestion.map(str::to_owned);
        found.add(ProblemKind::Refused, field, Some(uuid), expected, suggestion);
    } else if uuid.chars().nth(MAX).is_some() {
        let expected = format!("a UUID of at most {MAX} characters");
        found.wrong(ProblemKind::Refused, field, uuid, &expected);
    }
}

/// Whether a field with this name identifies a resource, by ESET's naming.
pub(crate) fn is_uuid_name(field: &str) -> bool {
    field == "uuid" || field.ends_with("_uuid") || field.ends_with("_uuids")
}
