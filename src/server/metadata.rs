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
    NAMES.contains(name) || name == "keep-alive" || name.as_str().starts_with("grpc-")
}

/// Returns the metadata of a request. Base64 values (`-bin`) stay unchanged, because both wires use that
/// form.
pub(super) fn of_request(mut headers: HeaderMap) -> MetadataMap {
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
    let names: Vec<_> = headers.keys().filter(|name| is_of_http(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}
