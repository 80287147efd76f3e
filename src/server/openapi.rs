//! The OpenAPI document of a server. The crate's is packed, which makes it a tenth of its size in a program.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::Method;
use serde_json::Value;

use super::RestFront;

/// Returns [`OPENAPI`](crate::transcode::OPENAPI) with the operations that the front has, and without tokens if anyone may
/// call.
pub(super) fn document(rest: &RestFront, is_open: bool) -> Bytes {
    let packed = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));
    let mut whole = Vec::new();
    // The build script packed it, so it unpacks.
    let _ = GzDecoder::new(packed.as_slice()).read_to_end(&mut whole);
    let Ok(mut document) = serde_json::from_slice::<Value>(&whole) else { return whole.into() };
    if is_open && let Some(members) = document.as_object_mut() {
        members.remove("security");
        if let Some(components) = members.get_mut("components").and_then(Value::as_object_mut) {
            components.remove("securitySchemes");
        }
    }
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|path, operations| {
            // The name of a variable is a value like any other.
            let path = path.replace(['{', '}'], "");
            let Some(operations) = operations.as_object_mut() else { return false };
            operations.retain(|name, _| {
                let method = Method::from_bytes(name.to_uppercase().as_bytes());
                name == "servers" || method.is_ok_and(|method| rest.rpc(&method, &path).is_some())
            });
            operations.keys().any(|name| name != "servers")
        });
    }
    document.to_string().into()
}
