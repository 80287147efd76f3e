//! Maps gRPC metadata to HTTP headers and back as ESET's gateway does ([facts](crate::facts#errors)): all of
//! it except what belongs to one connection or to the form of the message, or tells a browser about an origin.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tonic::metadata::MetadataMap;

#[cfg(feature = "serve")]
use crate::headers::remove;
use crate::headers::remove_of_connection;
#[cfg(feature = "serve")]
use crate::metadata_form::PUSHBACK;
use crate::metadata_form::is_reserved;

/// The value of `grpc-retry-pushback-ms` for "do not retry".
#[cfg(feature = "_connections")]
pub(crate) const NEVER: &str = "-1";

/// What the marks of a bridge begin with.
#[cfg(feature = "_connections")]
pub(crate) const OURS: &str = "eset-protect-";

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
        name => is_reserved(name) || is_of_browser(name),
    }
}

/// What headers begin with that tell a browser or another HTTP client what to do with the origin that they come from:
/// whom to let read or embed it, what to store and where to go. Only the server of that origin sets them.
const OF_BROWSERS: [&str; 38] = [
    "accept-ch",
    "access-control-",
    "activate-storage-access",
    "alt-svc",
    "attribution-reporting-",
    "authentication-info",
    "clear-site-data",
    "content-security-policy",
    "critical-ch",
    "cross-origin-",
    "document-policy",
    "expect-ct",
    "feature-policy",
    "link",
    "nel",
    "no-vary-search",
    "observe-browsing-topics",
    "origin-agent-cluster",
    "permissions-policy",
    "public-key-pins",
    "referrer-policy",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "sec-",
    "service-worker-",
    "set-cookie",
    "set-login",
    "sourcemap",
    "speculation-rules",
    "strict-transport-security",
    "supports-loading-mode",
    "timing-allow-origin",
    "use-as-dictionary",
    "x-content-type-options",
    "x-frame-options",
    "x-sourcemap",
    "x-xss-protection",
];

/// What headers begin with in which a server or a proxy says what it is and where.
#[cfg(feature = "serve")]
const OF_MACHINES: [&str; 16] = [
    "x-aspnet",
    "x-backend",
    "x-cache",
    "x-envoy-",
    "x-forwarded",
    "x-host",
    "x-internal-",
    "x-node",
    "x-pod-",
    "x-powered-by",
    "x-proxy",
    "x-real-",
    "x-serve",
    "x-squid-",
    "x-upstream",
    "x-varnish",
];

fn is_of_browser(name: &str) -> bool {
    begins_with_any(name, &OF_BROWSERS)
}

/// Whether a name begins with one of these. Most of them differ in the first byte, which costs much less to compare.
pub(crate) fn begins_with_any(name: &str, beginnings: &[&str]) -> bool {
    let first = name.as_bytes().first();
    let is_of =
        |beginning: &&str| beginning.as_bytes().first() == first && name.starts_with(*beginning);
    beginnings.iter().any(is_of)
}

/// Whether a header is about digests or signatures, of a request as of a response (RFC 9530, RFC 9421): they fit only the
/// bytes that were sent with it.
#[cfg(feature = "serve")]
pub(crate) fn is_of_bytes(name: &str) -> bool {
    matches!(
        name,
        "content-digest"
            | "digest"
            | "repr-digest"
            | "signature"
            | "signature-input"
            | "want-content-digest"
            | "want-digest"
            | "want-repr-digest"
    )
}

/// Removes what an upstream says of its own origin and of the machines there, and the marks of a bridge: callers, also
/// over gRPC-Web, would take them for words about this server or from it.
#[cfg(feature = "serve")]
pub(crate) fn remove_foreign(metadata: &mut MetadataMap) {
    let is_foreign = |name: &HeaderName| {
        let name = name.as_str();
        // Where to go, what to store, how to log in, and what fits only the bytes that the upstream sent.
        is_of_browser(name)
            || begins_with_any(name, &OF_MACHINES)
            || is_of_bytes(name)
            || name.starts_with(OURS)
            || matches!(
                name,
                "accept-ranges"
                    | "accept-signature"
                    | "age"
                    | "cache-control"
                    | "content-md5"
                    | "content-range"
                    | "etag"
                    | "expires"
                    | PUSHBACK
                    | "last-modified"
                    | "location"
                    | "pragma"
                    | "vary"
                    | "www-authenticate"
            )
    };
    remove(metadata.as_mut(), is_foreign);
}

/// Returns the metadata of a request, without other headers that are not for the RPC. Base64 values (`-bin`) stay
/// unchanged, because both wires use that form.
pub(crate) fn of_request(
    mut headers: HeaderMap,
    is_other: impl Fn(&HeaderName) -> bool,
) -> MetadataMap {
    remove_of_connection(&mut headers, |name| is_of_http(name) || is_other(name));
    MetadataMap::from_headers(headers)
}

/// Returns the headers of a response. What is said to one caller is not for those of a shared cache, which without such a
/// header may keep even a 404 (RFC 9110, 15.1), unless the metadata says how long it is valid; and no browser takes it for
/// a page that it is not called.
pub(super) fn to_headers(metadata: MetadataMap) -> HeaderMap {
    let mut headers = metadata.into_headers();
    remove_of_connection(&mut headers, is_of_http);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
}
