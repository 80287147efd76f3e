//! A gRPC front for whoever answers RPCs by their encoded messages.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use tonic::body::Body;
use tonic::codec::{CompressionEncoding, Streaming};
use tonic::server::Grpc;
use tonic::{Code, Status};
use tower::service_fn;

use super::bytes_codec::BytesCodec;

/// Answers a gRPC request by its encoded message. Messages may be up to `max_message` bytes long, in both
/// directions, and compressed.
pub(crate) fn serve<F, A>(
    request: Request<Body>,
    max_message: usize,
    answer: F,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>
where
    F: Fn(tonic::Request<Bytes>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<tonic::Response<Bytes>, Status>> + Send + 'static,
{
    let mut grpc = Grpc::new(BytesCodec)
        .max_decoding_message_size(max_message)
        .max_encoding_message_size(max_message)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Deflate)
        .send_compressed(CompressionEncoding::Gzip);
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
