//! Services beside those of eset-protect, for the tests. What is here is what anyone would write.

#![allow(missing_docs)]

/// The messages and the bare stubs.
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/proto.rs"));
}

/// The RPCs.
pub mod rpc {
    include!(concat!(env!("OUT_DIR"), "/rpcs.rs"));
}

/// The handles.
pub mod client {
    include!(concat!(env!("OUT_DIR"), "/handles.rs"));
}

/// What answers the RPCs for a REST front.
#[cfg(feature = "server")]
pub mod server {
    include!(concat!(env!("OUT_DIR"), "/backends.rs"));
}

/// The types for a `TypeRegistry`.
pub mod types {
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

/// The compiled `.proto` files.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The HTTP form of the RPCs as an OpenAPI document.
pub const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
