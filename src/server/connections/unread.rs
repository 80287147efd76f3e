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

/// Whether a connection over HTTP/1 has a body that was not read to its end; it cannot be reused then (RFC 9112, 9.3).
/// Its requests follow one another.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

impl Unread {
    /// Tracks how far the body of a request is read, where that matters.
    pub(super) fn track(&self, request: Request<Incoming>) -> Request<Body> {
        let has_body = request.version() < Version::HTTP_2 && !request.body().is_end_stream();
        if !has_body {
            return request.map(Body::new);
        }
        self.0.store(true, Ordering::Relaxed);
        let unread = self.clone();
        request.map(|body| Body::new(Tracked { body, unread }))
    }

    /// Whether a part was not read, so far.
    pub(super) fn is_left(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Tells the client that the connection closes after this response, if a part of the body was not read.
    pub(super) fn announce(&self, response: &mut Response<Body>) {
        if self.is_left() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

struct Tracked {
    body: Incoming,
    unread: Unread,
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
            self.unread.0.store(false, Ordering::Relaxed);
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
