//! What the official conformance suite of protobuf tests. It asks over standard input to read a message
//! from its binary form or from JSON, and to write it again.
//!
//! The `.proto` files come with the suite and are not part of this repository: without them there is
//! nothing here.

#![allow(missing_docs)]

#[cfg(suite)]
mod testee;

#[cfg(suite)]
pub use testee::{proto, serve, types};

/// Answers the requests of the suite.
#[cfg(not(suite))]
pub fn serve(_: impl std::io::Read, _: impl std::io::Write) -> std::io::Result<()> {
    Err(std::io::Error::other("built without the suite: PROTOBUF_CONFORMANCE was not set"))
}
