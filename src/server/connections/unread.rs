//! Bodies of requests that are answered before they have arrived.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tonic::body::Body;

/// Whether a body over HTTP/1 was read to its end; without it the connection cannot be reused (RFC 9112, 9.3).
pub(super) struct Unread(Arc<AtomicBool>);

/// Tracks how far the body of a request is read. `None` if that does not matter.
pub(super) fn track(request: Request<Incoming>) -> (Request<Body>, Option<Unread>) {
    if request.version() >= Version::HTTP_2 || request.body().is_end_stream() {
        return (request.map(Body::new), None);
    }
    let is_unread = Arc::new(AtomicBool::new(true));
    let unread = Unread(Arc::clone(&is_unread));
    (request.map(|body| Body::new(Tracked { body, is_unread })), Some(unread))
}

impl Unread {
    /// Tells the client that the connection closes after this response, if a part of the body was not read.
    pub(super) fn announce(self, response: &mut Response<Body>) {
        if self.0.load(Ordering::Relaxed) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

struct Tracked {
    body: Incoming,
    is_unread: Arc<AtomicBool>,
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.is_unread.store(false, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
