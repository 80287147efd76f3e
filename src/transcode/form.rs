//! `application/x-www-form-urlencoded`: forms and queries.

use super::percent::encode;
#[cfg(feature = "_connections")]
use super::percent::{Place, decode};

/// Encodes a form as `application/x-www-form-urlencoded`.
#[cfg(feature = "rest")]
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let mut form = String::new();
    write(pairs.iter().copied(), &mut form);
    form
}

/// Parses an `application/x-www-form-urlencoded` form.
#[cfg(feature = "_connections")]
pub(crate) fn read_form(form: &str) -> Result<Vec<(String, String)>, String> {
    let decode = |text| decode(text, Place::Query);
    pairs(form).map(|(name, value)| Ok((decode(name)?, decode(value)?))).collect()
}

/// Appends pairs as a query to a path.
pub(super) fn append<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, path: &mut String) {
    let mut pairs = pairs.peekable();
    if pairs.peek().is_some() {
        path.push('?');
    }
    write(pairs, path);
}

/// Writes pairs as `application/x-www-form-urlencoded`.
fn write<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>, out: &mut String) {
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        encode(name, out);
        out.push('=');
        encode(value, out);
    }
}

/// Splits `application/x-www-form-urlencoded` into pairs, still encoded.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}
