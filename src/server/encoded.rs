//! A gRPC front for whoever answers RPCs by their encoded messages.
//!
//! tonic's own server is made for streams. A unary call is a message each way and a status, so it is read and written
//! here, for about half of the cost. The codes of errors are gRPC's
//! (<https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>).

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::{MetadataMap, MetadataValue};

use super::bounded;
use super::compression::{Compression, GRPC_ENCODING};
use super::metadata::NEVER;
use crate::framing::{Malformed, MessageLimit, OneMessage, PREFIX, Trailers, seal};
use crate::metadata_form::PUSHBACK;

/// How long and how much of a refused request is read.
const DISCARDING: Duration = Duration::from_secs(2);
const MAX_DISCARDED: usize = 32 * 1024 * 1024;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const OK: HeaderValue = HeaderValue::from_static("0");

/// Answers a gRPC request by its encoded message, which must arrive within `time`. The response is compressed only if
/// the request is: most clients accept compression, few gain from it, and it costs several times the CPU of the rest of
/// a call.
pub(crate) async fn serve<A>(
    request: Request<Body>,
    time: Duration,
    limit: MessageLimit,
    answer: impl FnOnce(tonic::Request<Bytes>) -> A,
) -> Result<Response<Body>, Status>
where
    A: Future<Output = Result<tonic::Response<Bytes>, Status>>,
{
    let (head, mut body) = request.into_parts();
    let compression = Compression::of(&head.headers)?;
    let message = match timeout(time, receive(&mut body, compression, limit)).await {
        Ok(Ok(message)) => message,
        Ok(Err(refusal)) => {
            discard(body).await;
            return Err(refusal);
        }
        Err(_) => return Err(too_late(time)),
    };
    let compression = compression.filter(|one| one.is_accepted(&head.headers));
    let metadata = MetadataMap::from_headers(head.headers);
    let request = tonic::Request::from_parts(metadata, head.extensions, message);
    let mut response = answer(request).await?;
    bounded::limit_headers(response.metadata_mut());
    respond(response, compression, limit)
}

/// Receives the message of a request.
async fn receive(
    body: &mut Body,
    compression: Option<Compression>,
    limit: MessageLimit,
) -> Result<Bytes, Status> {
    let mut message = OneMessage::new(limit.bytes);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        message.push(data).map_err(|malformed| match malformed {
            Malformed::TooLarge(_) => too_large("message", limit),
            Malformed::UnknownFlag => Status::internal("the message has an unknown flag"),
            Malformed::Several => Status::unimplemented("expected one message, found several"),
        })?;
    }
    let is_compressed = message.is_compressed();
    let message = message.finish().map_err(|size| match size {
        0 => Status::unimplemented("expected one message, found none"),
        _ => Status::internal("the message ended early"),
    })?;
    if !is_compressed {
        return Ok(message);
    }
    let compression = compression.ok_or_else(|| {
        Status::internal("the message is compressed, and grpc-encoding is not set")
    })?;
    let unpacked = compression.unpack(&message, limit.bytes).map_err(|error| {
        Status::internal(format!("the message is not valid {}: {error}", compression.name()))
    })?;
    unpacked.ok_or_else(|| too_large("unpacked message", limit))
}

/// Discards the rest of a request that is refused, within limits. Node and others lose the response if its stream is
/// reset while they send, although RFC 9113 (8.1) forbids that.
async fn discard(mut body: Body) {
    let mut left = MAX_DISCARDED;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            if size >= left {
                return;
            }
            left -= size;
        }
    };
    // An error means that its time is up.
    let _ = timeout(DISCARDING, reading).await;
}

/// Returns a response as HTTP.
fn respond(
    response: tonic::Response<Bytes>,
    compression: Option<Compression>,
    limit: MessageLimit,
) -> Result<Response<Body>, Status> {
    let (metadata, message, mut extensions) = response.into_parts();
    let mut frame = match compression {
        Some(compression) => compression.pack(&message).map_err(|error| {
            Status::internal(format!("the response cannot be compressed: {error}"))
        })?,
        None => [&[0; PREFIX], &*message].concat(),
    };
    if frame.len() - PREFIX > limit.bytes {
        return Err(too_large("response", limit));
    }
    seal(&mut frame, compression.is_some());
    let mut headers = metadata.into_headers();
    let mut trailers = HeaderMap::with_capacity(1);
    for name in extensions.remove().map_or_else(Vec::new, |Trailers(names)| names) {
        if let Entry::Occupied(values) = headers.entry(name) {
            let (name, values) = values.remove_entry_mult();
            trailers.extend(values.map(|value| (name.clone(), value)));
        }
    }
    trailers.insert(GRPC_STATUS, OK);
    // Without a size, which would become a content-length: gRPC-Web appends the trailers.
    let frames = [Frame::data(frame.into()), Frame::trailers(trailers)].map(Ok::<_, Infallible>);
    let mut http = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
    *http.headers_mut() = headers;
    *http.extensions_mut() = extensions;
    http.headers_mut().insert(header::CONTENT_TYPE, GRPC);
    if let Some(compression) = compression {
        let name = HeaderValue::from_static(compression.name());
        http.headers_mut().insert(GRPC_ENCODING, name);
    }
    Ok(http)
}

/// Returns the failure of a call whose message did not arrive in time.
pub(super) fn too_late(time: Duration) -> Status {
    Status::deadline_exceeded(format!("the message did not arrive within {time:?}"))
}

fn too_large(what: &str, limit: MessageLimit) -> Status {
    let mut status = Status::resource_exhausted(format!("the {what} is too large, {limit}"));
    // The code alone would mean that the same message has room later.
    status.metadata_mut().insert(PUSHBACK, MetadataValue::from_static(NEVER));
    status
}
