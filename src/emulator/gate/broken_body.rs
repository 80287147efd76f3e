//! A body that does not come to its end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;

/// Some bytes, then an error.
pub(super) struct BrokenBody {
    bytes: Option<Bytes>,
    is_flushed: bool,
}

impl BrokenBody {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes: Some(bytes).filter(|bytes| !bytes.is_empty()), is_flushed: false }
    }
}

impl http_body::Body for BrokenBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        // The connection writes what it has while it waits for more; an error at once would take the
        // headers with it.
        if !self.is_flushed {
            self.is_flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("the connection was to break"))))
    }
}
