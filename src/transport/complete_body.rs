//! Detects truncated responses.
//!
//! hyper 1.12 treats a stream that is reset without an error (`RST_STREAM` or `GOAWAY` with `NO_ERROR`) in
//! the middle of a response as its end. Only the end that HTTP/2 marks is one.
//!
//! Responses whose headers or trailers exceed the limit fail too.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Version};
use http_body::{Body, Frame, SizeHint};

use super::error_chain::BoxError;
use super::limits::{Limits, TooLong};

/// A body that ends with an error if it is truncated.
#[derive(Debug)]
pub(super) struct CompleteBody<B> {
    body: B,
    /// Whether the end must still be checked.
    is_in_doubt: bool,
    limits: Limits,
}

impl<B: Body + Unpin> CompleteBody<B> {
    /// Wraps the body of a response. HTTP/1.1 does not need it, since hyper knows the length.
    pub(super) fn new(
        body: B,
        version: Version,
        headers: &HeaderMap,
        limits: Limits,
    ) -> Result<Self, TooLong> {
        limits.check("headers", headers)?;
        Ok(Self { body, is_in_doubt: version == Version::HTTP_2, limits })
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
            Some(Err(error)) => Some(Err(Box::new(BrokenOff(Some(error.into()))))),
            None if self.is_in_doubt && !self.body.is_end_stream() => {
                self.is_in_doubt = false;
                Some(Err(Box::new(BrokenOff(None))))
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

/// A response ended early, after its head: by this error, or without one.
#[derive(Debug)]
pub(super) struct BrokenOff(pub(super) Option<BoxError>);

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(error) => error.fmt(f),
            None => {
                f.write_str("the stream was reset without an error before the end of the response")
            }
        }
    }
}

impl std::error::Error for BrokenOff {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|error| error as _)
    }
}
