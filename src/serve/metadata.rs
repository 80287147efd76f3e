//! Which metadata and headers of a call the upstream gets. [`serve`](super) has the table for users.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tonic::metadata::MetadataMap;

use crate::server::metadata;

/// Names the tenant of a call.
pub(super) const TENANT: HeaderName = HeaderName::from_static("eset-protect-tenant");
/// In a failed call: the HTTP status from which the code was inferred.
pub(super) const INFERRED_FROM: &str = "eset-protect-code-inferred-from";
/// The marks of this server; callers cannot set them for upstreams.
const OURS: &str = "eset-protect-";

/// Whether a header of a request concerns only the caller, this server and what lies between them.
fn is_of_caller(name: &HeaderName) -> bool {
    let name = name.as_str();
    matches!(
        name,
        // Credentials.
        "authorization"
            | "cookie"
            | "proxy-authorization"
            // One connection (RFC 9110, 7.6.1).
            | "http2-settings"
            | "proxy-connection"
            // Who calls, and through which proxies.
            | "alt-used"
            | "dnt"
            | "forwarded"
            | "origin"
            | "referer"
            | "upgrade-insecure-requests"
            | "user-agent"
            | "x-real-ip"
            // Parts and conditions of one HTTP request (RFC 9110, 13 and 14).
            | "accept-language"
            | "cache-control"
            | "if-match"
            | "if-modified-since"
            | "if-none-match"
            | "if-range"
            | "if-unmodified-since"
            | "pragma"
            | "priority"
            | "range"
            // gRPC-Web.
            | "x-grpc-web"
            | "x-user-agent"
            // A pending response (FACTS.md#pending-responses): this server asks for it.
            | "response-id"
    ) || name.starts_with("content-")
        || name.starts_with("sec-")
        || name.starts_with("x-forwarded-")
        || name.starts_with(OURS)
}

/// Returns the metadata of a caller's request for the upstream, with a token that the caller has there.
pub(super) fn for_upstream(headers: HeaderMap, own_token: Option<HeaderValue>) -> MetadataMap {
    let mut headers = metadata::of_request(headers, is_of_caller).into_headers();
    if let Some(token) = own_token {
        headers.insert(header::AUTHORIZATION, token);
    }
    for value in headers.values_mut() {
        value.set_sensitive(true);
    }
    MetadataMap::from_headers(headers)
}
