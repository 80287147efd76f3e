//! Bodies that end at a given time.

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

use super::{Deadline, exceeded};

impl Deadline {
    /// The body of a gRPC response, which ends with `DEADLINE_EXCEEDED` at the deadline.
    pub(crate) fn limit_body(self, body: Body) -> Body {
        match self.0 {
            Some(at) if !body.is_end_stream() => until(body, at, || {
                let mut trailers = HeaderMap::new();
                exceeded().add_header(&mut trailers).map(|()| Frame::trailers(trailers))
            }),
            _ => body,
        }
    }
}

/// A body that ends with the frame or error `last` if it has not ended by itself before.
pub(crate) fn until(
    body: Body,
    end: Instant,
    last: impl FnOnce() -> Result<Frame<Bytes>, Status> + Send + 'static,
) -> Body {
    let sleep = Box::pin(tokio::time::sleep_until(end));
    let frames = stream::unfold(Some((body, sleep, last)), |state| async move {
        let (mut body, mut sleep, last) = state?;
        tokio::select! {
            biased;
            frame = body.frame() => Some((frame?, Some((body, sleep, last)))),
            () = &mut sleep => Some((last(), None)),
        }
    });
    Body::new(StreamBody::new(frames))
}
