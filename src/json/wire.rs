//! The fields of a serialized message, without its schema.

use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// A field on the wire.
pub(crate) struct WireField<'a> {
    /// Its number.
    pub number: u32,
    /// How it is encoded.
    pub wire_type: WireType,
    /// All of it.
    pub whole: &'a [u8],
    /// The value, without its length prefix.
    pub value: &'a [u8],
}

impl WireField<'_> {
    /// Returns the value if it is a varint.
    pub(crate) fn varint(&self) -> Option<u64> {
        match self.wire_type {
            WireType::Varint => decode_varint(&mut &*self.value).ok(),
            _ => None,
        }
    }
}

/// Returns the fields in their order on the wire.
pub(crate) fn fields(message: &[u8]) -> impl Iterator<Item = Result<WireField<'_>, DecodeError>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = next(&mut rest);
        if field.is_err() {
            rest = &[];
        }
        Some(field)
    })
}

fn next<'a>(rest: &mut &'a [u8]) -> Result<WireField<'a>, DecodeError> {
    let start = *rest;
    let (number, wire_type) = decode_key(rest)?;
    let mut value = *rest;
    skip_field(wire_type, number, rest, DecodeContext::default())?;
    value = &value[..value.len() - rest.len()];
    if wire_type == WireType::LengthDelimited {
        decode_varint(&mut value)?;
    }
    Ok(WireField { number, wire_type, whole: &start[..start.len() - rest.len()], value })
}
