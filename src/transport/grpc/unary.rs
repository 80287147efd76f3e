//! One unary exchange in gRPC's framing ("PROTOCOL-HTTP2"), over tonic's channel.
//!
//! tonic's own client is made for streams and for servers that keep to the protocol: it reads a page of HTML as a
//! compressed message, panics on details that are not base64, calls a response that names a compression
//! `UNIMPLEMENTED`, takes the first of two messages for the whole, and does not tell the statuses that it makes from
//! those of the server. A unary exchange is two messages and a status, so it is read here, strictly.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri, Version, header};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::transport::channel::ResponseFuture;

use super::not_grpc::NotGrpc;
use super::status::{self, GRPC_STATUS};
use crate::error::Error;
use crate::timer::Timer;
use crate::transport::complete_body::{CompleteBody, append};
use crate::transport::readiness::Readiness;
use crate::transport::request::PREFIX;
use crate::transport::{Limits, Reply, Request};

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Reads the response to a request that a channel sends.
pub(super) async fn exchange(
    response: ResponseFuture,
    limits: Limits,
    timer: &dyn Timer,
    readiness: &Readiness,
) -> Result<Reply, Error> {
    // Here there are no headers yet: what fails later was processed.
    let response = limits.head(timer, response).await?;
    let response = response.map_err(|error| status::unanswered(error, readiness))?;
    let http_status = response.status();
    let response = CompleteBody::of(response, limits);
    let response = response.map_err(|long| long.to_error().with_source(long))?;
    let (parts, mut body) = response.into_parts();
    let mut headers = parts.headers;
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
    let mut message = Message { limit: limits.message, received: Bytes::new() };
    let trailers = loop {
        match body.frame().await {
            None => break None,
            Some(Err(error)) => return Err(status::broken(error, headers)),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    if let Err(problem) = message.push(data) {
                        return Err(match problem {
                            Problem::TooLarge(size) => {
                                status::too_large(size, limits.message, headers)
                            }
                            Problem::Garbled(what) => status::garbled(what, headers),
                        });
                    }
                }
                Err(frame) => break frame.into_trailers().ok(),
            },
        }
    };
    let trailers = trailers.unwrap_or_default();
    if !status::is_ok(&trailers) {
        headers.extend(trailers);
        let error = status::of_server(&mut headers, false);
        return Err(error.unwrap_or_else(|| status::untold(http_status, headers)));
    }
    let Some(message) = message.finish() else {
        headers.extend(trailers);
        return Err(status::garbled("the response of a unary call has no message", headers));
    };
    if trailers.len() > 1 {
        headers.extend(trailers);
    }
    Ok(Reply::protobuf(message).with_headers(headers))
}

/// Takes the metadata out of a request and returns it as HTTP.
pub(super) fn encode(request: &mut Request<'_>) -> http::Request<Body> {
    let mut http = http::Request::new(Body::new(Full::new(request.framed().clone())));
    *http.method_mut() = Method::POST;
    *http.version_mut() = Version::HTTP_2;
    *http.uri_mut() = Uri::from_static(request.spec().path);
    let headers = http.headers_mut();
    *headers = std::mem::take(&mut request.metadata).into_headers();
    // They belong to a response.
    headers.remove(&GRPC_STATUS);
    headers.remove(&GRPC_MESSAGE);
    headers.insert(header::TE, TRAILERS);
    headers.insert(header::CONTENT_TYPE, GRPC);
    headers.insert(GRPC_TIMEOUT, timeout(request.timeout));
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

/// The one message of a response, as far as it has come.
struct Message {
    limit: usize,
    received: Bytes,
}

enum Problem {
    TooLarge(usize),
    Garbled(&'static str),
}

impl Message {
    fn push(&mut self, data: Bytes) -> Result<(), Problem> {
        append(&mut self.received, data);
        match self.received.first() {
            None | Some(0) => {}
            Some(1) => {
                return Err(Problem::Garbled(
                    "the response is compressed, which was not asked for",
                ));
            }
            Some(_) => {
                return Err(Problem::Garbled("the response has a message with an unknown flag"));
            }
        }
        match self.length() {
            Some(length) if length > self.limit => Err(Problem::TooLarge(length)),
            Some(length) if self.received.len() - PREFIX > length => {
                Err(Problem::Garbled("the response of a unary call has more than one message"))
            }
            _ => Ok(()),
        }
    }

    /// The length of the message, once that is known.
    fn length(&self) -> Option<usize> {
        let length: [u8; 4] = self.received.get(1..PREFIX)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(length)).ok()
    }

    /// The message, if it is whole.
    fn finish(mut self) -> Option<Bytes> {
        let length = self.length()?;
        (self.received.len() - PREFIX == length).then(|| self.received.split_off(PREFIX))
    }
}
