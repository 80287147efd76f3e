//! A gRPC front for whoever answers RPCs by their encoded messages.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::server::{Grpc, UnaryService};

use super::bytes_codec::BytesCodec;

/// Answers a gRPC request by its encoded message. Messages may be so large, in both directions, and
/// compressed.
pub(crate) fn serve<F, A>(
    request: Request<Body>,
    max_message: usize,
    answer: F,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>
where
    F: FnOnce(Bytes) -> A + Send + 'static,
    A: Future<Output = Result<Vec<u8>, Status>> + Send + 'static,
{
    let mut grpc = Grpc::new(BytesCodec)
        .max_decoding_message_size(max_message)
        .max_encoding_message_size(max_message)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Deflate)
        .send_compressed(CompressionEncoding::Gzip);
    Box::pin(async move { grpc.unary(Once(Some(answer)), request).await })
}

/// Answers one request.
struct Once<F>(Option<F>);

impl<F, A> UnaryService<Bytes> for Once<F>
where
    F: FnOnce(Bytes) -> A + Send + 'static,
    A: Future<Output = Result<Vec<u8>, Status>> + Send + 'static,
{
    type Response = Bytes;
    type Future =
        Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send + 'static>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let answer = self.0.take();
        Box::pin(async move {
            let answer = answer.ok_or_else(|| Status::internal("a request was read twice"))?;
            Ok(tonic::Response::new(answer(request.into_inner()).await?.into()))
        })
    }
}
