//! Handles members that the schema does not have, or has with another type.

use serde_json::{Error, Result};

use super::depth::check_depth;
use super::escapes::check_escapes;
use super::parser::Object;
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
    if let Some(json) = read_member(object, name)? {
        context::keep(context::pointer_segment(name), json.to_owned());
    }
    Ok(())
}

/// Reads the value of a member as text to keep; `None` if it is nested too deeply for that and the rest of the response
/// is still of use.
pub(super) fn read_member<'de>(
    object: &mut Object<'_, 'de>,
    name: &str,
) -> Result<Option<&'de str>> {
    let wrong = |problem: String| path::at_field(name, &problem);
    let json = object.value().value().map_err(|error| path::at_field(name, &error))?;
    check_escapes(json).map_err(wrong)?;
    match check_depth(json) {
        Ok(()) => Ok(Some(json)),
        Err(_) if context::options().keep_misfits => Ok(None),
        Err(problem) => Err(wrong(problem)),
    }
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
