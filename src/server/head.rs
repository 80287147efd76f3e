//! Interprets the head of a request.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use http_body_util::Full;
use tonic::body::Body;

use super::RestFront;

pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| after(value, "application/grpc").is_some())
}

/// Returns what follows the start of a text, whatever its case.
pub(crate) fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(start.len())?;
    begin.eq_ignore_ascii_case(start).then_some(rest)
}

/// Returns the answer to a request over HTTP/1.1 that does not name one host (RFC 9112, 3.2): servers on the way could
/// read it as one for another.
pub(crate) fn unclear_host<B>(request: &Request<B>) -> Option<Response<Bytes>> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let is_unclear = hosts > 1 || hosts == 0 && request.version() == Version::HTTP_11;
    is_unclear.then(|| RestFront::error(StatusCode::BAD_REQUEST, "host: expected one"))
}

/// Returns the response to `HEAD` (RFC 9110, 9.3.2): that of `GET` without its body.
pub(crate) fn without_body(mut response: Response<Body>) -> Response<Body> {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(length.into());
    }
    response.map(|_| Body::empty())
}

/// Whether the body is in a transfer coding that this server does not decode.
fn has_unknown_coding(headers: &HeaderMap) -> bool {
    let is_chunked =
        |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    !headers.get_all(header::TRANSFER_ENCODING).iter().all(is_chunked)
}

/// Returns the answer to a request whose body would be misread: in an unknown transfer coding (RFC 9112, 6.1), or of a
/// media type that is gRPC's or gRPC-Web's, and not as the protocol has it ("PROTOCOL-HTTP2" and "PROTOCOL-WEB" of gRPC),
/// in which case its status could be lost, too.
pub(crate) fn refused<B>(request: &Request<B>, has_web: bool) -> Option<Response<Bytes>> {
    if has_unknown_coding(request.headers()) {
        let message = "transfer-encoding: expected chunked";
        return Some(RestFront::error(StatusCode::NOT_IMPLEMENTED, message));
    }
    let media_type = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let form = after(media_type.split(';').next()?.trim(), "application/grpc")?;
    let web = after(form, "-web").filter(|_| has_web);
    let form = web.map_or(form, |form| after(form, "-text").unwrap_or(form));
    let is_known = form.is_empty() || form.eq_ignore_ascii_case("+proto");
    let (status, message) = match is_known {
        true if request.method() != Method::POST => {
            (StatusCode::METHOD_NOT_ALLOWED, "expected POST")
        }
        true if web.is_none() && request.version() < Version::HTTP_2 => {
            (StatusCode::HTTP_VERSION_NOT_SUPPORTED, "gRPC: expected HTTP/2")
        }
        true => return None,
        false if has_web => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type: expected application/grpc, application/grpc-web or application/grpc-web-text",
        ),
        false => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type: expected application/grpc"),
    };
    let mut response = RestFront::error(status, message);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    Some(response)
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

pub(crate) fn full(body: Bytes) -> Body {
    Body::new(Full::new(body))
}
