//! Percent-encoding (RFC 3986, 2.1).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters to encode: all but unreserved ones (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Appends text with all characters encoded except unreserved ones.
pub(super) fn encode(text: &str, out: &mut String) {
    // Checks all bytes, which the compiler does many at once.
    let is_unreserved = |byte: u8| {
        byte.is_ascii_alphanumeric()
            | (byte == b'-')
            | (byte == b'.')
            | (byte == b'_')
            | (byte == b'~')
    };
    if text.bytes().fold(true, |all, byte| all & is_unreserved(byte)) {
        out.push_str(text);
        return;
    }
    out.extend(utf8_percent_encode(text, RESERVED));
}

/// Where the text comes from, which determines the special characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// One segment of a path.
    Segment,
    /// Several segments of a path. `%2F` stays encoded, because slashes separate segments.
    Segments,
    /// A query, where `+` is a space.
    Query,
}

/// Decodes text; the error says what is wrong.
pub(super) fn decode(text: &str, place: Place) -> Result<String, String> {
    String::from_utf8(decode_bytes(text, place)?)
        .map_err(|_| "the decoded text is not UTF-8".to_owned())
}

/// Decodes what may be no text.
pub(crate) fn decode_bytes(text: &str, place: Place) -> Result<Vec<u8>, &'static str> {
    // Nearly all values are UUIDs.
    if !text.contains(['%', '+']) {
        return Ok(text.as_bytes().to_vec());
    }
    let is_pair = |after: &str| {
        after
            .as_bytes()
            .first_chunk::<2>()
            .is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_pair) {
        return Err("`%` is not followed by two hex digits");
    }
    let text = match place {
        Place::Segment => Cow::Borrowed(text),
        Place::Segments => text.replace("%2F", "%252F").replace("%2f", "%252f").into(),
        Place::Query => text.replace('+', " ").into(),
    };
    Ok(Cow::from(percent_decode_str(&text)).into_owned())
}
