//! Query strings: `policyUuids=a&policyUuids=b&target.deviceUuid=c`.

use super::TranscodeError;
use super::object::{Object, find};
use super::percent::{Place, decode, encode};
use crate::json::schema::Field;

/// Writes a query; empty if there are no pairs.
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

/// Puts what a query says into an object. Both spellings of a name are read; a name that the message
/// does not have is an error, so that a slip of the pen is not a filter that filters nothing. So is one
/// that the path or the body says already.
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
