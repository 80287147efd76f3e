//! Maps gRPC metadata to HTTP headers and back as ESET's gateway does ([facts](crate::facts#errors)): all of
//! it except what belongs to one connection or to the form of the message.

use http::{HeaderMap, HeaderName, header};
use tonic::metadata::MetadataMap;

/// Whether a header is meaningful to HTTP itself.
fn is_of_http(name: &HeaderName) -> bool {
    match name.as_str() {
        "accept"
        | "accept-charset"
        | "accept-encoding"
        | "allow"
        | "connection"
        | "content-encoding"
        | "content-length"
        | "content-type"
        | "date"
        | "expect"
        | "host"
        | "keep-alive"
        | "location"
        | "proxy-authenticate"
        | "proxy-authorization"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "upgrade"
        | "via" => true,
        // What a server says of retries concerns the call (gRFC A6).
        "grpc-retry-pushback-ms" => false,
        name => name.starts_with("grpc-"),
    }
}

/// Returns the metadata of a request, without other headers that are not for the RPC. Base64 values (`-bin`) stay
/// unchanged, because both wires use that form.
pub(crate) fn of_request(
    headers: HeaderMap,
    is_other: impl Fn(&HeaderName) -> bool,
) -> MetadataMap {
    MetadataMap::from_headers(kept(headers, is_other))
}

/// Returns the headers of a response.
pub(super) fn to_headers(metadata: MetadataMap) -> HeaderMap {
    kept(metadata.into_headers(), |_| false)
}

fn kept(headers: HeaderMap, is_other: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let lists = headers.get_all(header::CONNECTION).into_iter();
    let options = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    // Headers that `connection` names end with this connection, too (RFC 9110, 7.6.1).
    let of_connection: Vec<_> =
        options.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect();
    let is_kept =
        |name: &HeaderName| !is_of_http(name) && !is_other(name) && !of_connection.contains(name);
    let mut kept = HeaderMap::new();
    let mut current = None;
    for (name, value) in headers {
        // The further values of a header come without its name.
        if let Some(name) = name {
            current = is_kept(&name).then_some(name);
        }
        if let Some(name) = &current {
            kept.append(name, value);
        }
    }
    kept
}
