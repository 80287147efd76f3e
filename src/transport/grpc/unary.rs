//! One unary exchange in gRPC's framing ("PROTOCOL-HTTP2"), over tonic's channel.
//!
//! tonic's own client is made for streams and for servers that keep to the protocol: it reads a page of HTML as a
//! compressed message, panics on details that are not base64, calls a response that names a compression
//! `UNIMPLEMENTED`, takes the first of two messages for the whole, and does not tell the statuses that it makes from
//! those of the server. A unary exchange is two messages and a status, so it is read here, strictly.

use http::response::Parts;
use http::{HeaderName, HeaderValue, Method, Uri, Version, header};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::transport::channel::ResponseFuture;

use super::not_grpc::NotGrpc;
use super::status::{self, GRPC_STATUS};
use crate::error::Error;
use crate::framing::{Malformed, OneMessage, Trailers};
use crate::metadata_form;
use crate::timer::Timer;
use crate::transport::complete_body::CompleteBody;
use crate::transport::readiness::Readiness;
use crate::transport::{Limits, Outgoing, Reply, Request, metadata};

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// How often the call was sent before (gRFC A6).
const PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

/// Reads the response to a request that a channel sends.
pub(super) async fn exchange(
    target: &str,
    outgoing: &Outgoing<'_>,
    response: ResponseFuture,
    limits: Limits,
    timer: &dyn Timer,
    readiness: &Readiness,
) -> Result<Reply, Error> {
    // Here there are no headers yet: what fails later was processed.
    let response = limits.head(timer, response).await?;
    let response = response.map_err(|error| status::unanswered(target, error, readiness))?;
    outgoing.set_head(true);
    let (Parts { status: http_status, mut headers, version, .. }, body) = response.into_parts();
    let body = CompleteBody::new(body, version, &headers, limits);
    let mut body = body.map_err(|long| long.to_error().with_source(long))?;
    let media_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_grpc = media_type.is_some_and(|text| text.starts_with(b"application/grpc"));
    let is_whole = headers.contains_key(&GRPC_STATUS);
    if !is_grpc && !is_whole {
        return Err(status::not_grpc(NotGrpc::new(http_status, headers)));
    }
    if is_whole {
        // The headers are the whole response ("Trailers-Only").
        return Err(match status::of_server(&mut headers, true) {
            Some(error) => error,
            None => status::garbled("the response of a unary call has no message", headers),
        });
    }
    let mut message = OneMessage::new(limits.message.bytes);
    let trailers = loop {
        match body.frame().await {
            None => break None,
            Some(Err(error)) => return Err(status::broken(error, headers)),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    let problem = match message.push(data) {
                        Ok(()) if message.is_compressed() => {
                            "the response is compressed, which was not asked for"
                        }
                        Ok(()) => continue,
                        Err(Malformed::TooLarge(size)) => {
                            let error = limits.response_too_large(size);
                            return Err(error.with_metadata(metadata(headers)));
                        }
                        Err(Malformed::UnknownFlag) => {
                            "the response has a message with an unknown flag"
                        }
                        Err(Malformed::Several) => {
                            "the response of a unary call has more than one message"
                        }
                    };
                    return Err(status::garbled(problem, headers));
                }
                Err(frame) => break frame.into_trailers().ok(),
            },
        }
    };
    let trailers = trailers.unwrap_or_default();
    if !status::is_ok(&trailers) {
        headers.extend(trailers);
        let error = status::of_server(&mut headers, false);
        return Err(error.unwrap_or_else(|| status::without_status(http_status, headers)));
    }
    let Ok(message) = message.finish() else {
        headers.extend(trailers);
        return Err(status::garbled("the response of a unary call has no message", headers));
    };
    let reply = Reply::protobuf(message);
    // Mostly there is only the status.
    if trailers.len() == 1 {
        return Ok(reply.with_headers(headers));
    }
    let names = Trailers(trailers.keys().cloned().collect());
    headers.extend(trailers);
    Ok(reply.with_headers(headers).with_trailers(names))
}

/// Takes the metadata out of a request and returns it as HTTP.
pub(super) fn encode(request: &mut Request<'_>) -> http::Request<Body> {
    let mut http = http::Request::new(Body::new(Full::new(request.framed().clone())));
    *http.method_mut() = Method::POST;
    *http.version_mut() = Version::HTTP_2;
    *http.uri_mut() = Uri::from_static(request.spec().path);
    let headers = http.headers_mut();
    *headers = std::mem::take(&mut request.metadata).into_headers();
    metadata_form::retain_valid(headers);
    headers.insert(header::TE, TRAILERS);
    headers.insert(header::CONTENT_TYPE, GRPC);
    headers.insert(GRPC_TIMEOUT, timeout(request.timeout));
    if let Some(before @ 1..) = request.attempt.checked_sub(1) {
        headers.insert(PREVIOUS_ATTEMPTS, before.into());
    }
    http
}

/// Whole milliseconds, rounded up, as gRPC's C core does: most calls of a client then send the same text, which
/// HPACK has in its table. At most eight digits.
fn timeout(left: std::time::Duration) -> HeaderValue {
    const MOST: u64 = 99_999_999;
    let millis = left.as_secs().saturating_mul(1000);
    let millis = millis.saturating_add(left.subsec_micros().div_ceil(1000).into());
    let (number, unit) =
        if millis <= MOST { (millis, "m") } else { (left.as_secs().min(MOST), "S") };
    let text = [itoa::Buffer::new().format(number), unit].concat();
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("99999999S"))
}
