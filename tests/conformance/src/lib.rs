//! The program that protobuf's official conformance suite tests. The suite sends requests over standard input
//! to read a message from its binary form or JSON, and to write it again.
//!
//! The `.proto` files come with the suite and are not part of this repository; without them this crate is
//! empty.

#![allow(missing_docs)]

#[cfg(suite)]
mod testee;

#[cfg(suite)]
pub use testee::{proto, serve, types};

/// Responds to the requests of the suite.
#[cfg(not(suite))]
pub fn serve(_: impl std::io::Read, _: impl std::io::Write) -> std::io::Result<()> {
    Err(std::io::Error::other("built without the suite: PROTOBUF_CONFORMANCE was not set"))
}
