//! Interprets the head of a request.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderValue, Request, header};
use tonic::body::Body;

pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| {
        value.get(..16).is_some_and(|value| value.eq_ignore_ascii_case(b"application/grpc"))
    })
}

/// Whether a path needs no token: health checks and reflection contain only public data.
pub(crate) fn is_open(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.")
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The source address of a request, stored in its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) Option<SocketAddr>);

pub(crate) fn caller(request: &Request<Body>) -> Option<IpAddr> {
    let Peer(address) = request.extensions().get()?;
    address.map(|address| address.ip())
}
