//! One attempt of one call on one wire. Whatever repeats or waits lives above.

pub(crate) mod grpc;
#[cfg(feature = "tls")]
pub(crate) mod tls;

use std::time::Duration;

use tonic::metadata::MetadataMap;

/// What an attempt needs besides the message.
pub(crate) struct Attempt {
    /// How long it may take; the far side is told.
    pub(crate) timeout: Duration,
    /// What travels with the request.
    pub(crate) metadata: MetadataMap,
}
