//! Which metadata and headers of a call the upstream gets. [`serve`](super) has the table for users.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::headers::is_of_protocol;
use crate::metadata_form;
use crate::server::bounded::limit_size;
use crate::server::metadata::{self, OURS};

/// Names the tenant of a call.
pub(super) const TENANT: HeaderName = HeaderName::from_static("eset-protect-tenant");
/// In a failed call: the HTTP status from which the code was inferred.
pub(super) const INFERRED_FROM: &str = "eset-protect-code-inferred-from";

/// Words in the names of headers with credentials, and of those in which a proxy that has checked who calls says so.
const CREDENTIALS: [&str; 28] = [
    "assertion",
    "auth",
    "authenticate",
    "authenticated",
    "authentication",
    "authn",
    "authorization",
    "authz",
    "bearer",
    "consumer",
    "cookie",
    "cookie2",
    "credential",
    "credentials",
    "creds",
    "dpop",
    "hmac",
    "jwt",
    "mfa",
    "oauth",
    "oauth2",
    "oidc",
    "otp",
    "pass",
    "pin",
    "totp",
    "userinfo",
    "webauth",
];

/// What is in such names, also within a word.
const PARTS_OF_CREDENTIALS: [&str; 11] = [
    "api-key",
    "apikey",
    "csrf",
    "passcode",
    "passphrase",
    "passw",
    "saml",
    "secret",
    "session",
    "token",
    "xsrf",
];

/// What headers that concern only the caller, this server and what lies between them begin with.
const BEGINNINGS: [&str; 47] = [
    // Another call than the one that was admitted.
    "x-http-",
    "x-method-",
    "x-original-",
    "x-override-",
    "x-rewrite-",
    // Who calls, and through which proxies.
    "alt-",
    "cf-",
    "client-cert",
    "client-ip",
    "cloudfront-",
    "fastly-",
    "fly-",
    "forwarded",
    "front-end-https",
    "impersonate-",
    "iv-",
    "oam-",
    "proxy-",
    "remote-",
    "sm-",
    "ssl-",
    "tailscale-",
    "true-client-",
    "wl-proxy-",
    "x-amz",
    "x-appengine-",
    "x-arr-",
    "x-azure-",
    "x-client-",
    "x-cluster-client-",
    "x-envoy-",
    "x-forwarded",
    "x-goog-",
    "x-ms-client-",
    "x-originating-",
    "x-proxy",
    "x-real-",
    "x-remote-",
    "x-ssl-",
    "x-tls-",
    "x-url-scheme",
    "x-vouch-",
    // Parts and conditions of one HTTP request (RFC 9110, 8, 13 and 14), and what browsers add.
    "accept-",
    "content-",
    "if-",
    "sec-",
    // The marks of this server; callers cannot set them for upstreams.
    OURS,
];

/// Whether a header of a request concerns only the caller, this server and what lies between them.
fn is_of_caller(name: &HeaderName) -> bool {
    // Servers that hand headers on as variables (CGI) do not tell the two apart.
    let spelled;
    let name = match name.as_str() {
        name if name.contains('_') => {
            spelled = name.replace('_', "-");
            &spelled
        }
        name => name,
    };
    match name {
        // One connection (RFC 9110, 7.6).
        "cdn-loop" | "early-data" | "max-forwards" => true,
        // Who calls.
        "dnt"
        | "from"
        | "origin"
        | "referer"
        | "save-data"
        | "upgrade-insecure-requests"
        | "user-agent"
        | "x-host"
        | "x-requested-with" => true,
        // Parts and conditions of one HTTP request, and wishes for its response.
        "cache-control" | "pragma" | "prefer" | "priority" | "range" => true,
        // gRPC-Web.
        "x-grpc-web" | "x-user-agent" => true,
        // What the client would refuse.
        _ if is_of_protocol(name) => true,
        _ => {
            metadata::is_of_bytes(name)
                || metadata::begins_with_any(name, &BEGINNINGS)
                || name.split('-').any(|word| CREDENTIALS.contains(&word))
                || PARTS_OF_CREDENTIALS.iter().any(|part| name.contains(part))
                || name.ends_with("-override")
                // Makes a call safe to repeat, and is no secret.
                || (name.ends_with("key") && !name.ends_with("idempotency-key"))
        }
    }
}

/// Removes from the metadata of a response what is not for the caller, or more than clients take.
pub(super) fn keep_for_caller(metadata: &mut MetadataMap) {
    metadata::remove_foreign(metadata);
    limit_size(metadata);
}

/// Returns the metadata of a caller's request for the upstream, with a token that the caller has there.
///
/// # Errors
///
/// Returns `INVALID_ARGUMENT` if a binary value is not in base64.
pub(super) fn for_upstream(
    headers: HeaderMap,
    own_token: Option<HeaderValue>,
) -> Result<MetadataMap, Status> {
    let mut headers = metadata::of_request(headers, is_of_caller).into_headers();
    let is_wrong = |(name, value): &(&HeaderName, &HeaderValue)| {
        metadata_form::is_binary(name) && !metadata_form::is_base64_list(value)
    };
    if let Some((name, _)) = headers.iter().find(is_wrong) {
        return Err(Status::invalid_argument(format!("{name}: expected base64")));
    }
    if let Some(token) = own_token {
        headers.insert(header::AUTHORIZATION, token);
    }
    for value in headers.values_mut() {
        value.set_sensitive(true);
    }
    Ok(MetadataMap::from_headers(headers))
}
