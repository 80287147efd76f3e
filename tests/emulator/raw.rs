//! Clients other than tonic: the bytes on the wire.

use bytes::Bytes;
use eset_protect::emulator::Running;
use http::{HeaderMap, Request};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use prost::Message;
use tonic::{Code, Status};

pub type RawBody = UnsyncBoxBody<Bytes, std::convert::Infallible>;

/// The response.
#[derive(Debug)]
pub struct Raw {
    pub http: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: HeaderMap,
}

impl Raw {
    /// Returns the status of a gRPC call, in headers or trailers.
    #[track_caller]
    pub fn status(&self) -> Status {
        let found = [&self.trailers, &self.headers].into_iter().find_map(Status::from_header_map);
        found.unwrap_or_else(|| panic!("no grpc-status: {self:?}"))
    }

    #[track_caller]
    pub fn message_of(&self, code: Code) -> String {
        let status = self.status();
        assert_eq!(status.code(), code, "{self:?}");
        status.message().to_owned()
    }
}

/// Returns a message framed for a gRPC body.
pub fn framed(message: &impl Message) -> Vec<u8> {
    flagged(0, &message.encode_to_vec())
}

/// Returns the bytes of a message, compressed if the flag is 1.
pub fn flagged(flag: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[flag][..], &length, bytes].concat()
}

pub fn whole(body: impl Into<Bytes>) -> RawBody {
    Full::new(body.into()).boxed_unsync()
}

/// Returns a body that never ends after these bytes.
pub fn endless(bytes: Vec<u8>) -> RawBody {
    let first = tokio_stream::once(Ok(http_body::Frame::data(Bytes::from(bytes))));
    let body = tokio_stream::StreamExt::chain(first, tokio_stream::pending());
    StreamBody::new(body).boxed_unsync()
}

/// Makes a gRPC call.
pub async fn grpc(running: &Running, path: &str, headers: &[(&str, &str)], body: RawBody) -> Raw {
    let headers = [headers, &[("content-type", "application/grpc"), ("te", "trailers")]].concat();
    send(running, true, "POST", path, &headers, body).await
}

/// Sends any request.
pub async fn send(
    running: &Running,
    is_http2: bool,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: RawBody,
) -> Raw {
    let client = Client::builder(TokioExecutor::new()).http2_only(is_http2).build_http();
    let uri = format!("{}{path}", running.endpoint());
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, body) = client.request(request.body(body).unwrap()).await.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    Raw { http: head.status.as_u16(), headers: head.headers, body: body.to_bytes(), trailers }
}
