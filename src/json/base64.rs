//! `bytes`: base64 in JSON. Reads both alphabets, with or without padding (ProtoJSON), and writes the
//! standard alphabet with padding.

use bytes::Bytes;
use serde::de::Error as _;
use serde_json::Error;

use super::codec::Codec;
use super::compact::Compact;
use super::parser::Parser;

/// `bytes`.
#[derive(Debug)]
pub enum Base64 {}

impl Codec for Base64 {
    type Value = Bytes;

    fn write(value: &Bytes, json: &mut Compact) -> Result<(), Error> {
        let base64 = base64_simd::STANDARD;
        json.quoted(base64.encoded_length(value.len()), |json| base64.encode_append(value, json));
        Ok(())
    }

    fn read(parser: &mut Parser<'_>, value: &mut Bytes) -> Result<(), Error> {
        *value = decode(&parser.string(&"a base64 string")?).map_err(Error::custom)?;
        Ok(())
    }
}

pub(crate) fn decode(text: &str) -> Result<Bytes, String> {
    let unpadded = text.trim_end_matches('=');
    let padding = text.len() - unpadded.len();
    if padding > 0 && (padding > 2 || !text.len().is_multiple_of(4)) {
        return Err(format!(
            "invalid base64: {padding} padding characters after {} characters",
            unpadded.len()
        ));
    }
    // Nearly all input uses the standard alphabet, and detecting the other one would take longer than
    // decoding.
    if let Ok(bytes) = base64_simd::STANDARD_NO_PAD.decode_to_vec(unpadded) {
        return Ok(bytes.into());
    }
    let url_safe = unpadded.contains(['-', '_']);
    if url_safe && let Ok(bytes) = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(unpadded) {
        return Ok(bytes.into());
    }
    match without_spare_bits(unpadded, url_safe) {
        Some(bytes) => Ok(bytes.into()),
        None => Err(problem(unpadded, url_safe)),
    }
}

/// Decodes text whose last character has bits that belong to no byte. ProtoJSON ignores them (the official
/// conformance suite has such text); RFC 4648, 3.5 leaves this to the reader.
#[cold]
fn without_spare_bits(text: &str, url_safe: bool) -> Option<Vec<u8>> {
    // If the last group is filled up, these bits belong to bytes that are removed afterwards.
    let filling = match text.len() % 4 {
        2 => "AA",
        3 => "A",
        _ => return None,
    };
    let alphabet =
        if url_safe { base64_simd::URL_SAFE_NO_PAD } else { base64_simd::STANDARD_NO_PAD };
    let mut bytes = alphabet.decode_to_vec(format!("{text}{filling}")).ok()?;
    bytes.truncate(text.len() * 3 / 4);
    Some(bytes)
}

/// Describes why text does not decode.
fn problem(text: &str, url_safe: bool) -> String {
    let known = |c: char| {
        c.is_ascii_alphanumeric() || if url_safe { "-_".contains(c) } else { "+/".contains(c) }
    };
    match text.chars().enumerate().find(|(_, c)| !known(*c)) {
        Some((at, c)) => format!("invalid base64: {c:?} at character {at}"),
        None => format!("invalid base64: {} characters end in the middle of a byte", text.len()),
    }
}
