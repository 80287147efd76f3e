//! The crate's OpenAPI document for servers: packed, which makes it a tenth of its size in a program.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;

/// Returns [`OPENAPI`](crate::transcode::OPENAPI).
pub(crate) fn document() -> Bytes {
    let packed = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));
    let mut document = Vec::new();
    // The build script packed it, so it unpacks.
    let _ = GzDecoder::new(packed.as_slice()).read_to_end(&mut document);
    document.into()
}
