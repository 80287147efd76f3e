//! `bytes`: base64 in JSON, in either alphabet and with or without padding when read (ProtoJSON),
//! in the standard alphabet with padding when written.

use std::fmt;

use bytes::Bytes;
use serde::Serializer;
use serde::de::{Deserializer, Visitor};

use super::codec::Codec;

/// `bytes`.
#[derive(Debug)]
pub enum Base64 {}

impl Codec for Base64 {
    type Value = Bytes;

    fn write<S: Serializer>(value: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64_simd::STANDARD.encode_to_string(value))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        deserializer.deserialize_str(Base64Visitor)
    }
}

struct Base64Visitor;

impl Visitor<'_> for Base64Visitor {
    type Value = Bytes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a base64 string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bytes, E> {
        decode(text).map_err(E::custom)
    }
}

fn decode(text: &str) -> Result<Bytes, String> {
    let unpadded = text.trim_end_matches('=');
    let padding = text.len() - unpadded.len();
    if padding > 0 && (padding > 2 || !text.len().is_multiple_of(4)) {
        return Err(format!(
            "invalid base64: {padding} padding characters after {} characters",
            unpadded.len()
        ));
    }
    let url_safe = unpadded.contains(['-', '_']);
    let alphabet =
        if url_safe { base64_simd::URL_SAFE_NO_PAD } else { base64_simd::STANDARD_NO_PAD };
    match alphabet.decode_to_vec(unpadded) {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(problem(unpadded, url_safe)),
    }
}

/// What is wrong with text that does not decode.
fn problem(text: &str, url_safe: bool) -> String {
    let known = |c: char| {
        c.is_ascii_alphanumeric() || if url_safe { "-_".contains(c) } else { "+/".contains(c) }
    };
    match text.chars().enumerate().find(|(_, c)| !known(*c)) {
        Some((at, c)) => format!("invalid base64: {c:?} at character {at}"),
        None => format!("invalid base64: {} characters end in the middle of a byte", text.len()),
    }
}
