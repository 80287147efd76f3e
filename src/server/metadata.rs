//! gRPC metadata as HTTP headers, and back, as ESET's gateway has them ([facts](crate::facts#errors)):
//! everything but what belongs to one connection or to the form of the message.

use http::{HeaderMap, HeaderName, header};
use tonic::metadata::MetadataMap;

/// Headers that mean something for HTTP itself.
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

/// The metadata of a request. Values in base64 (`-bin`) stay as they are: that is how both carry them.
pub(super) fn of_request(mut headers: HeaderMap) -> MetadataMap {
    strip(&mut headers);
    MetadataMap::from_headers(headers)
}

/// The headers of an answer.
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
