//! Streams that end at their deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;

use super::{Deadline, exceeded};

impl Deadline {
    /// The body of a gRPC answer, which ends with `DEADLINE_EXCEEDED` at the deadline.
    pub(crate) fn limit_body(self, body: Body) -> Body {
        match self.0 {
            Some(at) if !body.is_end_stream() => {
                let sleep = Box::pin(tokio::time::sleep_until(at));
                Body::new(Limited { body: Some(body), sleep })
            }
            _ => body,
        }
    }
}

/// A body until the deadline; then the trailers that say so.
struct Limited {
    /// `None` when it has come to its end.
    body: Option<Body>,
    sleep: Pin<Box<Sleep>>,
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            let goes_on = matches!(&frame, Some(Ok(frame)) if frame.is_data());
            if !goes_on {
                this.body = None;
            }
            return Poll::Ready(frame);
        }
        if this.sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        this.body = None;
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(exceeded().add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
