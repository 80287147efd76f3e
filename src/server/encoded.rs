//! A gRPC front for whoever answers RPCs by their encoded messages.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use tokio::time::sleep;
use tonic::body::Body;
use tonic::codec::{CompressionEncoding, Streaming};
use tonic::server::Grpc;
use tonic::{Code, Status};
use tower::service_fn;

use super::bytes_codec::BytesCodec;
use super::deadline::stream::until;

/// The maximum size of a message, in both directions.
pub(crate) const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// Answers a gRPC request by its encoded message, which must arrive within `time`. The response is compressed only if
/// the request is: most clients accept compression, few gain from it, and it costs several times the CPU of the rest of
/// a call.
pub(crate) fn serve<F, A>(
    request: Request<Body>,
    time: Duration,
    answer: F,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>
where
    F: Fn(tonic::Request<Bytes>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<tonic::Response<Bytes>, Status>> + Send + 'static,
{
    let grpc = Grpc::new(BytesCodec)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Deflate);
    let encoding = match request.headers().get("grpc-encoding").map(HeaderValue::as_bytes) {
        Some(b"gzip") => Some(CompressionEncoding::Gzip),
        Some(b"deflate") => Some(CompressionEncoding::Deflate),
        _ => None,
    };
    let mut grpc = encoding.into_iter().fold(grpc, Grpc::send_compressed);
    let late = move || {
        Err(Status::deadline_exceeded(format!("the message did not arrive within {time:?}")))
    };
    let request = request.map(|body| until(body, sleep(time), late));
    Box::pin(async move {
        // tonic's own unary calls ignore a second message.
        let answer = |request| async { answer(only_message(request).await?).await };
        grpc.client_streaming(service_fn(answer), request).await
    })
}

/// Receives the message of a unary call. The codes of errors are gRPC's
/// (<https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>), not tonic's.
async fn only_message(
    request: tonic::Request<Streaming<Bytes>>,
) -> Result<tonic::Request<Bytes>, Status> {
    let (metadata, extensions, mut messages) = request.into_parts();
    let code_of_grpc = |status: Status| match status.code() {
        Code::OutOfRange => Status::resource_exhausted(status.message()),
        _ => status,
    };
    let refused = |found| Status::unimplemented(format!("expected one message, found {found}"));
    let first = messages.message().await.map_err(code_of_grpc)?;
    let message = first.ok_or_else(|| refused("none"))?;
    match messages.message().await.map_err(code_of_grpc)? {
        None => Ok(tonic::Request::from_parts(metadata, extensions, message)),
        Some(_) => Err(refused("several")),
    }
}
