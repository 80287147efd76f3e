//! Interprets the head of a request.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use http_body_util::Full;
use tonic::body::Body;

use super::encoding::Encoding;
use super::limits::Refusal;

/// Returns what follows the start of a text, whatever its case.
fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(start.len())?;
    begin.eq_ignore_ascii_case(start).then_some(rest)
}

/// Returns the response to `HEAD` (RFC 9110, 9.3.2): that of `GET` without its body.
pub(super) fn without_body(mut response: Response<Body>) -> Response<Body> {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(length.into());
    }
    response.map(|_| Body::empty())
}

/// The protocol of a request.
pub(super) enum Protocol {
    Grpc,
    /// With the media type as tonic's layer compares it: in lower case and without parameters.
    GrpcWeb(HeaderValue),
    Rest,
}

impl Protocol {
    /// Returns the protocol of a request.
    ///
    /// # Errors
    ///
    /// Refuses a request that another server could read otherwise: over HTTP/1.1 one that does not name one host (RFC 9112,
    /// 3.2), or a body in an unknown transfer coding (RFC 9112, 6.1); and one of a media type of gRPC's or gRPC-Web's that
    /// is not as the protocol has it ("PROTOCOL-HTTP2" and "PROTOCOL-WEB" of gRPC), whose status could be lost, too.
    pub(super) fn of<B>(request: &Request<B>) -> Result<Self, Refusal> {
        let refused = |status, message: &str| Err(Refusal { status, message: message.to_owned() });
        let (headers, version) = (request.headers(), request.version());
        let hosts = headers.get_all(header::HOST).iter().count();
        if hosts > 1 || hosts == 0 && version == Version::HTTP_11 {
            return refused(StatusCode::BAD_REQUEST, "host: expected one");
        }
        let is_chunked =
            |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
        if !headers.get_all(header::TRANSFER_ENCODING).iter().all(is_chunked) {
            return refused(StatusCode::NOT_IMPLEMENTED, "transfer-encoding: expected chunked");
        }
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        let media_type = media_type.trim();
        let Some(form) = after(media_type, "application/grpc") else { return Ok(Self::Rest) };
        let web = after(form, "-web");
        let form = web.map_or(form, |form| after(form, "-text").unwrap_or(form));
        if !form.is_empty() && !form.eq_ignore_ascii_case("+proto") {
            let message = "content-type: expected application/grpc, application/grpc-web or \
                           application/grpc-web-text";
            return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        }
        if request.method() != Method::POST {
            return refused(StatusCode::METHOD_NOT_ALLOWED, "expected POST");
        }
        if web.is_some() && !matches!(Encoding::of(headers), Encoding::Identity) {
            let message = "content-encoding: expected none; grpc-encoding is for the message";
            return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        }
        match web.map(|_| HeaderValue::try_from(media_type.to_ascii_lowercase())) {
            Some(Ok(media_type)) => Ok(Self::GrpcWeb(media_type)),
            _ if version < Version::HTTP_2 => {
                refused(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "gRPC: expected HTTP/2")
            }
            _ => Ok(Self::Grpc),
        }
    }
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
