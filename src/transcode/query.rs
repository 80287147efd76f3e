//! Query strings: `policyUuids=a&policyUuids=b&target.deviceUuid=c`.

use super::TranscodeError;
use super::form::pairs;
use super::object::{Object, find};
use super::percent::{Place, decode};
use crate::json::schema::Field;

/// Sets the fields in an object that a query contains. Accepts both spellings of a name. Unknown names are
/// errors, because a misspelled filter would otherwise filter nothing. Names that the path or body already
/// set are errors too.
pub(super) fn read(
    query: &str,
    fields: &'static [Field],
    body: &str,
    object: &mut Object,
) -> Result<(), TranscodeError> {
    for (name, value) in pairs(query) {
        let name = decode(name, Place::Query)
            .map_err(|problem| TranscodeError::new("", format!("query {name:?}: {problem}")))?;
        let value =
            decode(value, Place::Query).map_err(|problem| TranscodeError::new(&name, problem))?;
        let outer = name.split_once('.').map_or(name.as_str(), |(outer, _)| outer);
        if !body.is_empty() && find(fields, outer).is_ok_and(|field| field.is_called(body)) {
            return Err(TranscodeError::new(&name, "it is the body of the request"));
        }
        object.put(&name, &value, false)?;
    }
    Ok(())
}
