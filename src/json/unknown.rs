//! Handles members that the schema does not have.

use serde::de::Error as _;
use serde_json::{Error, Result};

use super::depth::check_depth;
use super::escapes::check_escapes;
use super::parser::{Object, Parser};
use super::{context, path};

/// Skips, keeps or refuses a member, depending on the context.
pub fn skip_member(object: &mut Object<'_, '_>, name: &str) -> Result<()> {
    if context::is_strict() {
        return Err(path::at_field(name, &"the message has no such field"));
    }
    if !context::is_collecting() {
        // Even then, JSON must be valid Unicode.
        let json = object.value().value()?;
        return check_escapes(json).map_err(|error| path::at_field(name, &error));
    }
    let json = read_raw(object.value()).map_err(|error| path::at_field(name, &error))?;
    context::keep(context::pointer_segment(name), json.to_owned());
    Ok(())
}

/// Reads a value as text, with exact numbers.
pub(crate) fn read_raw<'de>(parser: &mut Parser<'de>) -> Result<&'de str> {
    let json = parser.value()?;
    check_escapes(json).and_then(|()| check_depth(json)).map_err(Error::custom)?;
    Ok(json)
}
