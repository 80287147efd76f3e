//! Members that a message's schema does not have.

use serde::de::{Error, MapAccess};
use serde_json::value::RawValue;

use super::{context, path, raw};

/// How deep JSON may nest that is passed on unread. It matches what serde_json itself reads, so
/// that whoever reads our JSON next is not the first to meet its depth.
pub const MAX_DEPTH: usize = 100;

/// The name of a member that the schema does not have; empty where nobody asks for it.
#[derive(Debug)]
pub struct UnknownName(Option<Box<str>>);

impl UnknownName {
    /// Remembers the name if anything will be done with it.
    pub fn new(name: &str) -> Self {
        let needed = context::is_strict() || context::is_collecting();
        Self(needed.then(|| name.into()))
    }
}

/// Passes over a member, keeps it, or refuses it: as the context says.
pub fn skip_member<'de, A: MapAccess<'de>>(map: &mut A, name: UnknownName) -> Result<(), A::Error> {
    let Some(name) = name.0 else {
        return raw::pass_over(map);
    };
    if context::is_strict() {
        return Err(A::Error::custom(path::at_field(&name, &"the message has no such field")));
    }
    let json = read_raw(map).map_err(|error| A::Error::custom(path::at_field(&name, &error)))?;
    context::keep(context::pointer_segment(&name), json);
    Ok(())
}

/// Reads a value as text, its numbers exact.
pub fn read_raw<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Box<RawValue>, A::Error> {
    let json = raw::take(map)?;
    check_depth(json.get()).map_err(A::Error::custom)?;
    Ok(json)
}

/// The JSON text of a string.
pub fn raw_string(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::value::to_raw_value(text)
}

/// What is wrong with JSON that nests too deep.
pub fn too_deep(most: usize) -> String {
    format!("JSON is nested deeper than {most} levels")
}

/// Refuses JSON text that nests too deep. The text must be valid JSON.
pub fn check_depth(json: &str) -> Result<(), String> {
    check_levels(json, MAX_DEPTH)
}

/// Refuses JSON text that nests deeper than `most` levels. The text must be valid JSON.
pub fn check_levels(json: &str, most: usize) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => drop(bytes.next()),
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > most {
                    return Err(too_deep(most));
                }
            }
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
    }
    Ok(())
}
