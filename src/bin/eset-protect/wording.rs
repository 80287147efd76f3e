//! The errors of the readers of JSON, YAML and TOML in the command's words.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns a message without serde's words: `expected a string, found 1` for ``invalid type: integer `1`, expected a
/// string``.
pub fn plain(message: &str) -> Cow<'_, str> {
    let kinds = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    let mut starts = kinds.iter().filter_map(|kind| Some((message.find(kind)?, kind.len())));
    if let Some((at, length)) = starts.next()
        && let (before, Some((found, rest))) =
            (&message[..at], message[at + length..].rsplit_once(", expected "))
    {
        let (expected, place) = match rest.find(" at line ") {
            Some(end) => rest.split_at(end),
            None => (rest, ""),
        };
        let expected = expected.replace("a sequence", "a list").replace("a map", "an object");
        return format!("{before}expected {expected}, found {}{place}", named(found)).into();
    }
    if let Some(at) = message.find("too few unicode value digits") {
        let why = "a backslash in double quotes begins an escape; write a path in single quotes";
        return format!("{}{why}", &message[..at]).into();
    }
    message.into()
}

/// Returns what was found: the value itself, or what a list, an object and nothing are.
fn named(found: &str) -> &str {
    match found {
        "null" | "unit value" | "Option value" => "no value",
        "map" => "an object",
        "sequence" => "a list",
        found => {
            let scalars = ["integer ", "floating point ", "boolean ", "string ", "character "];
            let value = scalars.iter().find_map(|kind| found.strip_prefix(kind));
            value.unwrap_or(found).trim_matches('`')
        }
    }
}

/// Returns why a document is not of this type, which begins at a line of its file: the line and the member.
pub fn misread<T: DeserializeOwned>(document: Value, line: u64) -> Option<String> {
    let error = serde_path_to_error::deserialize::<_, T>(document).err()?;
    let member = match error.path().to_string() {
        path if path == "." => String::new(),
        path => format!("{path}: "),
    };
    Some(format!("line {line}: {member}{}", error.inner()))
}

/// Reads JSON of this type. An error names the line and the member.
pub fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        let document = serde_json::from_str(text).ok();
        let line = u64::try_from(error.line()).unwrap_or_default();
        let misread = document.and_then(|document| misread::<T>(document, line));
        misread.unwrap_or_else(|| error.to_string())
    })
}
