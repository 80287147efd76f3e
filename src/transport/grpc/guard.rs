//! Sits between the wire and tonic, and handles the answers on which tonic fails.
//!
//! An answer that is not gRPC is an error that says so, with the code of gRPC's table for HTTP statuses
//! (tonic would read an HTML page as a compressed message). Status details that are not base64 are
//! dropped (tonic would panic). So is the name of a compression: none was asked for, and tonic would call an
//! answer that names one `UNIMPLEMENTED`, as if the service had not run the call. A message that really is
//! compressed is `INTERNAL`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Frame;
use http_body_util::BodyExt;
use tonic::Code;
use tonic::body::Body;
use tonic::transport::Channel;
use tower_service::Service;

use super::server_status::ServerStatus;
use crate::transport::Limits;
use crate::transport::complete_body::CompleteBody;
use crate::transport::refusal::Refused;

const DETAILS: &str = "grpc-status-details-bin";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where a body of gRPC is: each message has five bytes before it, the last four of them its length.
#[derive(Default)]
struct Position {
    prefix: usize,
    length: usize,
}

impl Position {
    fn advance(&mut self, mut data: &[u8]) {
        while let Some((first, rest)) = data.split_first() {
            if self.prefix < 5 {
                self.length = self.length << 8 | usize::from(*first);
                // The first byte says whether the message is compressed.
                self.length = if self.prefix == 0 { 0 } else { self.length };
                self.prefix += 1;
                data = rest;
            } else {
                let (_, rest) = data.split_at(self.length.min(data.len()));
                self.length -= data.len() - rest.len();
                data = rest;
            }
            if self.prefix == 5 && self.length == 0 {
                self.prefix = 0;
            }
        }
    }

    fn is_within_message(&self) -> bool {
        self.prefix > 0
    }
}

/// A channel whose answers are gRPC, for one call.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    channel: Channel,
    heard: ServerStatus,
    limits: Limits,
}

impl Guard {
    pub(super) fn new(channel: Channel, heard: ServerStatus, limits: Limits) -> Self {
        Self { channel, heard, limits }
    }
}

impl Service<http::Request<Body>> for Guard {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.channel.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let response = self.channel.call(request);
        let (heard, limits) = (self.heard.clone(), self.limits);
        Box::pin(async move {
            // Here there are no headers yet: what fails later was processed.
            check(response.await.map_err(|error| Refused::wrap(error.into()))?, heard, limits)
        })
    }
}

fn check(
    response: http::Response<Body>,
    heard: ServerStatus,
    limits: Limits,
) -> Result<http::Response<Body>, BoxError> {
    let (mut parts, body) = CompleteBody::of(response, limits)?.into_parts();
    let media_type = parts.headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    let is_grpc = media_type.is_some_and(|text| text.starts_with(b"application/grpc"));
    if !is_grpc && !parts.headers.contains_key("grpc-status") {
        let media_type = String::from_utf8_lossy(media_type.unwrap_or_default()).into_owned();
        return Err(Box::new(NotGrpc { status: parts.status, media_type, headers: parts.headers }));
    }
    heard.read(&parts.headers, true);
    mend_details(&mut parts.headers);
    parts.headers.remove("grpc-encoding");
    let mut position = Position::default();
    let body = body.map_frame(move |frame| match frame.into_trailers() {
        Ok(mut trailers) => {
            heard.read(&trailers, false);
            if position.is_within_message() {
                heard.set_cut();
            }
            mend_details(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => {
            position.advance(frame.data_ref().map_or(&[], |data| data));
            frame
        }
    });
    Ok(http::Response::from_parts(parts, Body::new(body)))
}

/// Writes the details as tonic reads them: without padding, or too much of it. What is not base64 goes.
fn mend_details(headers: &mut HeaderMap) {
    let Some(value) = headers.remove(DETAILS) else { return };
    let text = value.as_bytes();
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let bare = text.get(..end).unwrap_or_default();
    let Ok(details) = base64_simd::STANDARD_NO_PAD.decode_to_vec(bare) else { return };
    let text = base64_simd::STANDARD_NO_PAD.encode_to_string(details);
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(DETAILS, value);
    }
}

/// The server answered, and not in gRPC.
pub(in crate::transport) struct NotGrpc {
    pub(super) status: StatusCode,
    media_type: String,
    pub(super) headers: HeaderMap,
}

impl NotGrpc {
    /// The code of gRPC's table (http-grpc-status-mapping).
    pub(super) fn code(&self) -> Code {
        match self.status.as_u16() {
            400 => Code::Internal,
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::Unimplemented,
            429 | 502..=504 => Code::Unavailable,
            _ => Code::Unknown,
        }
    }

    /// Whether the server did not let the call in, and so ran nothing.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.status.as_u16(), 401 | 403 | 429) || self.is_other_protocol()
    }

    /// Whether the server shows that it knows no gRPC, and so that it ran nothing: there is no such
    /// path, no such method, no such type of content.
    pub(in crate::transport) fn is_other_protocol(&self) -> bool {
        matches!(self.status.as_u16(), 404 | 405 | 406 | 415 | 426 | 501 | 505)
    }

    /// Whether this is a proxy's answer for a server that it does not reach, or does not want to now.
    #[cfg(feature = "rest")]
    pub(in crate::transport) fn is_out_of_order(&self) -> bool {
        let is_json = self.media_type.starts_with("application/json");
        !is_json && matches!(self.status.as_u16(), 429 | 500 | 502..=504)
    }
}

impl fmt::Debug for NotGrpc {
    /// Without headers, which may hold what does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotGrpc")
            .field("status", &self.status)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for NotGrpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, media_type, .. } = self;
        let kind = if media_type.is_empty() { "no content" } else { media_type };
        write!(f, "the server does not answer in gRPC but with HTTP {status} and {kind}")
    }
}

impl std::error::Error for NotGrpc {}
