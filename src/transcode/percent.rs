//! Percent-encoding (RFC 3986, 2.1).

/// The bytes that need no encoding (RFC 3986, 2.3).
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
};

/// Appends text with all characters encoded except unreserved ones.
pub(super) fn encode(text: &str, out: &mut String) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let is_unreserved = |byte: u8| UNRESERVED[usize::from(byte)];
    // All of a uuid: it need not be appended byte by byte.
    let plain = text.bytes().position(|byte| !is_unreserved(byte)).unwrap_or(text.len());
    let (plain, rest) = text.split_at(plain);
    out.push_str(plain);
    for byte in rest.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
    }
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
    /// A message of gRPC, where a `%` that encodes nothing stays ("PROTOCOL-HTTP2", Percent-Encoded).
    Message,
}

/// Decodes text; the error says what is wrong.
pub(super) fn decode(text: &str, place: Place) -> Result<String, String> {
    String::from_utf8(decode_bytes(text.as_bytes(), place)?)
        .map_err(|_| "the decoded text is not UTF-8".to_owned())
}

/// Decodes what may be no text.
pub(crate) fn decode_bytes(text: &[u8], place: Place) -> Result<Vec<u8>, &'static str> {
    // All of a uuid: it need not be copied byte by byte.
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(text.to_vec());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first == b'%').then(|| hex_pair(tail)) {
            Some(Some(b'/')) if place == Place::Segments => bytes.push(first),
            Some(Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            Some(None) if place != Place::Message => {
                return Err("`%` is not followed by two hex digits");
            }
            None if first == b'+' && place == Place::Query => bytes.push(b' '),
            _ => bytes.push(first),
        }
    }
    Ok(bytes)
}

/// Returns the byte that the two hex digits at the beginning stand for.
fn hex_pair(text: &[u8]) -> Option<u8> {
    let [high, low, ..] = text else { return None };
    let hex = |digit: &u8| char::from(*digit).to_digit(16);
    u8::try_from(hex(high)? << 4 | hex(low)?).ok()
}
