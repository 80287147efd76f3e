//! A gRPC front for whoever answers RPCs by their encoded messages.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::server::Grpc;
use tower::service_fn;

use super::bytes_codec::BytesCodec;

/// Answers a gRPC request by its encoded message. Messages may be so large, in both directions, and
/// compressed.
pub(crate) fn serve<F, A>(
    request: Request<Body>,
    max_message: usize,
    answer: F,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>
where
    F: Fn(Bytes) -> A + Send + 'static,
    A: Future<Output = Result<Vec<u8>, Status>> + Send + 'static,
{
    let mut grpc = Grpc::new(BytesCodec)
        .max_decoding_message_size(max_message)
        .max_encoding_message_size(max_message)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Deflate)
        .send_compressed(CompressionEncoding::Gzip);
    let service = service_fn(move |request: tonic::Request<Bytes>| {
        let answer = answer(request.into_inner());
        async move { Ok(tonic::Response::new(answer.await?.into())) }
    });
    Box::pin(async move { grpc.unary(service, request).await })
}
