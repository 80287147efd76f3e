//! Identifiers.

use std::fmt;

use super::problem::{Findings, ProblemKind};

/// The longest identifier (ESET's OpenAPI documents: `maxLength`).
const MAX: usize = 100;

/// Notes what cannot be an identifier. ESET calls uuids opaque and asks nobody to rely on RFC 4122, so any
/// text is one that could stand in a list: neither empty nor too long, and without what separates or encloses
/// the elements of a list, which shows that two or a quoted one were given.
pub(crate) fn note_uuid(field: impl fmt::Display, uuid: &str, found: &mut Findings) {
    let is_separator = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, ',' | ';' | '"' | '\'' | '`')
            || matches!(c, '{' | '}' | '[' | ']')
    };
    if uuid.is_empty() {
        found.missing(ProblemKind::Refused, field, "a uuid");
    } else if uuid.contains(is_separator) {
        let bare = uuid.trim_matches(is_separator);
        let suggestion = Some(bare).filter(|bare| !bare.is_empty() && !bare.contains(is_separator));
        let expected = "one uuid, without spaces, commas, quotes and brackets";
        let suggestion = suggestion.map(str::to_owned);
        found.add(ProblemKind::Refused, field, Some(uuid), expected, suggestion);
    } else if uuid.chars().nth(MAX).is_some() {
        let expected = format!("a uuid of at most {MAX} characters");
        found.wrong(ProblemKind::Refused, field, uuid, &expected);
    }
}

/// An identifier that may be left out.
pub(super) fn note_optional_uuid(field: impl fmt::Display, uuid: &str, found: &mut Findings) {
    if !uuid.is_empty() {
        note_uuid(field, uuid, found);
    }
}
