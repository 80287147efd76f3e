//! Maps gRPC metadata to HTTP headers and back as ESET's gateway does ([facts](crate::facts#errors)): all of
//! it except what belongs to one connection or to the form of the message.

use http::{HeaderMap, HeaderName, header};
use tonic::metadata::MetadataMap;

/// Whether a header is meaningful to HTTP itself.
fn is_of_http(name: &HeaderName) -> bool {
    const NAMES: [HeaderName; 19] = [
        header::ACCEPT,
        header::ACCEPT_CHARSET,
        header::ACCEPT_ENCODING,
        header::ALLOW,
        header::CONNECTION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::DATE,
        header::EXPECT,
        header::HOST,
        header::LOCATION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::VIA,
    ];
    // What a server says of retries concerns the call (gRFC A6).
    let is_of_grpc = name.as_str().starts_with("grpc-") && name != "grpc-retry-pushback-ms";
    NAMES.contains(name) || name == "keep-alive" || is_of_grpc
}

/// Returns the metadata of a request. Base64 values (`-bin`) stay unchanged, because both wires use that
/// form.
pub(crate) fn of_request(mut headers: HeaderMap) -> MetadataMap {
    strip(&mut headers);
    MetadataMap::from_headers(headers)
}

/// Returns the headers of a response.
pub(super) fn to_headers(metadata: MetadataMap) -> HeaderMap {
    let mut headers = metadata.into_headers();
    strip(&mut headers);
    headers
}

fn strip(headers: &mut HeaderMap) {
    let lists = headers.get_all(header::CONNECTION).into_iter();
    let options = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    // Headers that `connection` names end with this connection, too (RFC 9110, 7.6.1).
    let of_connection: Vec<_> =
        options.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect();
    let of_http: Vec<_> = headers.keys().filter(|name| is_of_http(name)).cloned().collect();
    for name in of_http.into_iter().chain(of_connection) {
        headers.remove(name);
    }
}
