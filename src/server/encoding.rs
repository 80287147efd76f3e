//! Content encodings of bodies (RFC 9110, 8.4).

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::limits::Refusal;

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

/// Unpacks a body of at most `max` unpacked bytes.
pub(super) fn gunzip(packed: &[u8], max: usize) -> Result<Bytes, Refusal> {
    let mut unpacked = Vec::new();
    let mut some = MultiGzDecoder::new(packed).take((max as u64).saturating_add(1));
    if let Err(error) = some.read_to_end(&mut unpacked) {
        let message = format!("the body is not valid gzip: {error}");
        return Err(Refusal { status: StatusCode::BAD_REQUEST, message });
    }
    if unpacked.len() > max {
        let message = format!("the body exceeds {max} bytes when unpacked");
        return Err(Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, message });
    }
    Ok(unpacked.into())
}

/// Whether a body is of this media type, whatever its parameters.
pub(crate) fn has_media_type(headers: &HeaderMap, wanted: &[u8]) -> bool {
    let value = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let media_type = value.and_then(|value| value.split(|byte| *byte == b';').next());
    media_type.is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(wanted))
}
