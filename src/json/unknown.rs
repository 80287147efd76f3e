//! Handles members that the schema does not have, or has with another type.

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

/// Handles a member that could not be read. In a response, if it is in a message inside the response and not in an
/// `Any`, the rest of that message is still of use: it is skipped or kept as if the schema did not have it, instead of
/// what was kept of it since `mark`.
#[cold]
pub(super) fn skip_misfit(
    object: &mut Object<'_, '_>,
    start: usize,
    mark: Option<usize>,
    name: &str,
    error: &Error,
) -> Result<()> {
    if !is_misfit(error) || !object.value().is_inside() || context::any_depth() > 0 {
        return Err(path::at_field(name, error));
    }
    if let Some(mark) = mark {
        context::forget(mark);
    }
    object.value().rewind(start);
    skip_member(object, name)
}

/// Whether an error means that a value may be left out or kept as it is. Only text that is not JSON has a position.
pub(crate) fn is_misfit(error: &Error) -> bool {
    context::options().keep_misfits && error.line() == 0
}

/// Reads a value as text, with exact numbers.
pub(crate) fn read_raw<'de>(parser: &mut Parser<'de>) -> Result<&'de str> {
    let json = parser.value()?;
    check_escapes(json).and_then(|()| check_depth(json)).map_err(Error::custom)?;
    Ok(json)
}
