//! An answer that was broken off is not a shorter answer.
//!
//! hyper 1.12 takes a stream that is reset without an error (`RST_STREAM` or `GOAWAY` with `NO_ERROR`) in
//! the middle of an answer for the end of the answer. Only the end that HTTP/2 marks is one.
//!
//! Nor is one whose headers or trailers are over the limit.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Response, Version};
use http_body::{Body, Frame, SizeHint};

use super::limits::{Limits, TooLong};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that ends with an error where it was broken off.
#[derive(Debug)]
pub(super) struct CompleteBody<B> {
    body: B,
    /// The end is still to be looked at.
    is_in_doubt: bool,
    limits: Limits,
}

impl<B: Body + Unpin> CompleteBody<B> {
    /// The same answer with such a body. HTTP/1.1 needs none: there hyper knows the length.
    pub(super) fn of(response: Response<B>, limits: Limits) -> Result<Response<Self>, TooLong> {
        limits.check("headers", response.headers())?;
        let is_in_doubt = response.version() == Version::HTTP_2;
        Ok(response.map(|body| Self { body, is_in_doubt, limits }))
    }
}

impl<B: Body + Unpin> Body for CompleteBody<B>
where
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                // Trailers are the end.
                self.is_in_doubt &= frame.is_data();
                let trailers = frame.trailers_ref();
                let checked = trailers.map_or(Ok(()), |all| self.limits.check("trailers", all));
                Some(checked.map(|()| frame).map_err(Into::into))
            }
            Some(Err(error)) => Some(Err(error.into())),
            None if self.is_in_doubt && !self.body.is_end_stream() => {
                self.is_in_doubt = false;
                Some(Err(Box::new(BrokenOff)))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The stream of an answer ended before the answer.
#[derive(Debug)]
pub(super) struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream was reset without an error before the end of the answer")
    }
}

impl std::error::Error for BrokenOff {}
