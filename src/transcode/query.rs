//! Query strings: `policyUuids=a&policyUuids=b&target.deviceUuid=c`.

use super::TranscodeError;
use super::object::{Object, find};
use super::percent::{Place, decode, encode};
use crate::json::schema::Field;

/// Writes a query; writes nothing if there are no pairs.
pub(super) fn write(pairs: &[(String, String)], out: &mut String) {
    let mut separator = '?';
    for (name, value) in pairs {
        out.push(separator);
        encode(name, b"", out);
        out.push('=');
        encode(value, b"", out);
        separator = '&';
    }
}

/// Sets the fields in an object that a query contains. Accepts both spellings of a name. Unknown names are
/// errors, because a misspelled filter would otherwise filter nothing. Names that the path or body already
/// set are errors too.
pub(super) fn read(
    query: &str,
    fields: &'static [Field],
    body: &str,
    object: &mut Object,
) -> Result<(), TranscodeError> {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
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
