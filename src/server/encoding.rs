//! Content encodings of bodies (RFC 9110, 8.4).

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::limits::{Refusal, too_large};
use crate::framing::MessageLimit;
use crate::gzip;

/// The accepted encodings of request bodies, for `Accept-Encoding`.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip");

/// The encoding that the headers declare.
pub(super) enum Encoding {
    Identity,
    Gzip,
    Unknown,
}

impl Encoding {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::Identity;
        for value in headers.get_all(header::CONTENT_ENCODING) {
            for coding in value.as_bytes().split(|byte| *byte == b',') {
                let coding = coding.trim_ascii();
                let is = |name: &[u8]| coding.eq_ignore_ascii_case(name);
                found = match found {
                    found if coding.is_empty() || is(b"identity") => found,
                    Self::Identity if is(b"gzip") || is(b"x-gzip") => Self::Gzip,
                    _ => return Self::Unknown,
                };
            }
        }
        found
    }
}

/// Unpacks a body, which may be this large unpacked.
pub(super) fn gunzip(packed: &[u8], limit: MessageLimit) -> Result<Bytes, Refusal> {
    let unpacked = gzip::gunzip(packed, limit.bytes).map_err(|error| Refusal {
        status: StatusCode::BAD_REQUEST,
        message: format!("the body is not valid gzip: {error}"),
    })?;
    unpacked.ok_or_else(|| too_large("unpacked body", limit))
}

/// Whether a body is of this media type and no other, whatever its parameters.
pub(crate) fn has_media_type(headers: &HeaderMap, wanted: &[u8]) -> bool {
    let is_wanted = |value: &HeaderValue| {
        let media_type = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        media_type.trim_ascii().eq_ignore_ascii_case(wanted)
    };
    let mut values = headers.get_all(header::CONTENT_TYPE).iter().peekable();
    values.peek().is_some() && values.all(is_wanted)
}
