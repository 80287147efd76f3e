//! Bodies that end at a given time.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;

use crate::server::encoded::too_late;

impl super::Deadline {
    /// The body of a gRPC response, which ends with `DEADLINE_EXCEEDED` at the deadline.
    pub(crate) fn limit_body(self, body: Body) -> Body {
        match self.0 {
            Some(at) => until(body, tokio::time::sleep_until(at), || trailers(&super::exceeded())),
            None => body,
        }
    }
}

/// Returns the end of a gRPC response.
pub(crate) fn trailers(status: &Status) -> Result<Frame<Bytes>, Status> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))
}

/// A body that ends with the frame or error `last` after `end`, if it has not ended by itself before.
pub(crate) fn until(
    body: Body,
    end: impl Future<Output = ()> + Send + 'static,
    last: impl FnOnce() -> Result<Frame<Bytes>, Status> + Send + 'static,
) -> Body {
    if body.is_end_stream() {
        // Wrapped, it would no longer say so, and the headers would not end the response ("Trailers-Only").
        return body;
    }
    let end = Box::pin(end);
    let frames = stream::unfold(Some((body, end, last)), |state| async move {
        let (mut body, mut end, last) = state?;
        tokio::select! {
            biased;
            frame = body.frame() => {
                let frame = frame?;
                let goes_on = is_data(&frame);
                Some((frame, goes_on.then_some((body, end, last))))
            }
            () = &mut end => Some((last(), None)),
        }
    });
    Body::new(StreamBody::new(frames))
}

/// A body that ends with `DEADLINE_EXCEEDED` when a frame takes longer than this.
pub(crate) fn each_within(time: Duration, body: Body) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let frames = stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match timeout(time, body.frame()).await {
            Ok(frame) => {
                let frame = frame?;
                let goes_on = is_data(&frame);
                Some((frame, goes_on.then_some(body)))
            }
            Err(_) => Some((trailers(&too_late(time)), None)),
        }
    });
    Body::new(StreamBody::new(frames))
}

/// Whether more follows a frame. A stream of tonic's that has failed fails again and again, and gRPC-Web reads on.
fn is_data(frame: &Result<Frame<Bytes>, Status>) -> bool {
    frame.as_ref().is_ok_and(Frame::is_data)
}
