//! Handles members that the schema does not have.

use serde::de::{Error, MapAccess};
use serde_json::value::RawValue;

use super::depth::check_depth;
use super::{context, path, raw};

/// The name of an unknown member; empty if it is not needed.
#[derive(Debug)]
pub struct UnknownName(Option<Box<str>>);

impl UnknownName {
    /// Remembers the name if it will be used.
    pub fn new(name: &str) -> Self {
        let needed = context::is_strict() || context::is_collecting();
        Self(needed.then(|| name.into()))
    }
}

/// Skips, keeps or refuses a member, depending on the context.
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

/// Reads a value as text, with exact numbers.
pub(crate) fn read_raw<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Box<RawValue>, A::Error> {
    let json = raw::take(map)?;
    check_depth(json.get()).map_err(A::Error::custom)?;
    Ok(json)
}

/// Returns the JSON text of a string.
pub(crate) fn raw_string(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::value::to_raw_value(text)
}
