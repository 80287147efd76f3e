//! The crate's OpenAPI document for servers: packed, which makes it a tenth of its size in a program.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use serde_json::Value;

/// Returns [`OPENAPI`](crate::transcode::OPENAPI).
pub(crate) fn document() -> Bytes {
    let packed = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));
    let mut document = Vec::new();
    // The build script packed it, so it unpacks.
    let _ = GzDecoder::new(packed.as_slice()).read_to_end(&mut document);
    document.into()
}

/// Takes out of a document that calls need a token.
pub(crate) fn remove_security(document: &mut Value) {
    let Some(members) = document.as_object_mut() else { return };
    members.remove("security");
    if let Some(components) = members.get_mut("components").and_then(Value::as_object_mut) {
        components.remove("securitySchemes");
    }
}
