//! Determines which headers are metadata of a call, on both wires.
//!
//! The others concern a single HTTP hop. Forwarding them as metadata breaks the next stream: HTTP/2 forbids
//! `connection`, and `content-length` would be that of another body.

mod retry_after;

use http::{HeaderMap, HeaderName, header};
use tonic::metadata::MetadataMap;

use crate::metadata_form::{PUSHBACK, is_reserved};
pub(crate) use retry_after::retry_after;

/// Whether a header of a request controls how its message is framed and routed, or whether it is a poll. Setting one
/// could smuggle a second request. [`CallOptions::metadata`](crate::CallOptions::metadata) has the list for users.
pub(crate) fn is_of_protocol(name: &str) -> bool {
    match name {
        "accept-encoding"
        | "connection"
        | "content-encoding"
        | "content-length"
        | "content-type"
        | "expect"
        | "host"
        | "http2-settings"
        | "keep-alive"
        | "proxy-authorization"
        | "proxy-connection"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "upgrade" => true,
        // The context of a trace, which interceptors set (gRFC A72).
        "grpc-trace-bin" | "grpc-tags-bin" => false,
        name => name == PUSHBACK || is_reserved(name),
    }
}

/// Whether a header belongs to one message, one connection or one server. [`Error::metadata`](crate::Error::metadata)
/// has the table for users.
fn is_of_http(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        // The form and length of one body (RFC 9110, 8; RFC 9112, 6).
        "accept-ranges"
            | "content-encoding"
            | "content-length"
            | "content-range"
            | "content-type"
            | "trailer"
            | "transfer-encoding"
            // One connection (RFC 9110, 7.6.1).
            | "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "upgrade"
            // One server and the proxies in front of it.
            | "alt-svc"
            | "date"
            | "server"
            | "via"
            // Credentials, and requests for credentials.
            | "authorization"
            | "cookie"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "set-cookie"
    ) || is_reserved(name.as_str())
}

/// Returns the metadata in the headers or trailers of a response. A date in `retry-after` becomes the seconds from the
/// response's `date`, which is left out: the clock here may be another.
pub(crate) fn metadata(mut headers: HeaderMap) -> MetadataMap {
    if let Some(wait) = retry_after::by_its_own_date(&headers) {
        headers.insert(header::RETRY_AFTER, wait);
    }
    // Mostly there is nothing else.
    if headers.keys().all(is_of_http) {
        return MetadataMap::new();
    }
    remove_of_connection(&mut headers, is_of_http);
    MetadataMap::from_headers(headers)
}

/// Removes these headers, and those that `connection` says belong to one connection (RFC 9110, 7.6.1).
pub(crate) fn remove_of_connection(
    headers: &mut HeaderMap,
    is_removed: impl Fn(&HeaderName) -> bool,
) {
    let lists = headers.get_all(header::CONNECTION).into_iter();
    let named = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    let named: Vec<_> =
        named.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect();
    remove(headers, |name| is_removed(name) || named.contains(name));
}

pub(crate) fn remove(headers: &mut HeaderMap, is_removed: impl Fn(&HeaderName) -> bool) {
    let names: Vec<_> = headers.keys().filter(|name| is_removed(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}
