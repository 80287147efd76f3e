//! Interprets the head of a request.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue, header};

pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| {
        value.get(..16).is_some_and(|value| value.eq_ignore_ascii_case(b"application/grpc"))
    })
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The source address of a request, stored in its extensions.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "emulator"), expect(dead_code, reason = "only the emulator reads it"))]
pub(crate) struct Peer(pub(crate) Option<SocketAddr>);
