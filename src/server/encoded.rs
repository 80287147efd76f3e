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

/// Answers a gRPC request by its encoded message. Messages may be up to `max_message` bytes long, in both
/// directions, and compressed.
pub(crate) fn serve<F, A>(
    request: Request<Body>,
    max_message: usize,
    answer: F,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>
where
    F: Fn(tonic::Request<Bytes>) -> A + Send + 'static,
    A: Future<Output = Result<tonic::Response<Bytes>, Status>> + Send + 'static,
{
    let mut grpc = Grpc::new(BytesCodec)
        .max_decoding_message_size(max_message)
        .max_encoding_message_size(max_message)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Deflate)
        .send_compressed(CompressionEncoding::Gzip);
    Box::pin(async move { grpc.unary(service_fn(answer), request).await })
}
