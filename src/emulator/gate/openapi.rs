//! The OpenAPI document of what an emulator has.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::server::{RestFront, openapi};

/// Returns the crate's document without the operations that the front does not have, and without tokens if calls need
/// none.
pub(super) fn of(rest: &RestFront, has_login: bool) -> Bytes {
    let whole = openapi::document();
    let Ok(mut document) = serde_json::from_slice::<Value>(&whole) else { return whole };
    if !has_login {
        openapi::remove_security(&mut document);
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
