//! The deadline that a caller sets by `grpc-timeout`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;

const GRPC_TIMEOUT: &str = "grpc-timeout";

/// When a call is to be over, if its caller said so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// The deadline in a request's headers, counted from now: up to eight digits and a unit, says
    /// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` if there is one that cannot be read: a call must not run for longer than its
    /// caller waits.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Status> {
        let Some(value) = headers.get(GRPC_TIMEOUT) else { return Ok(Self(None)) };
        let time = value.to_str().ok().and_then(parse).ok_or_else(|| {
            Status::invalid_argument(format!(
                "{GRPC_TIMEOUT}: {value:?}: expected up to eight digits and a unit (H, M, S, m, u or n), \
                 such as 30S"
            ))
        })?;
        // What is beyond all clocks is no limit.
        Ok(Self(Instant::now().checked_add(time)))
    }

    /// Waits for a call, until the deadline.
    ///
    /// # Errors
    ///
    /// `DEADLINE_EXCEEDED`; the call is dropped then.
    pub(crate) async fn limit<F: Future>(self, call: F) -> Result<F::Output, Status> {
        match self.0 {
            Some(at) => tokio::time::timeout_at(at, call).await.map_err(|_| exceeded()),
            None => Ok(call.await),
        }
    }

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

fn exceeded() -> Status {
    Status::deadline_exceeded(format!("the deadline of the call ({GRPC_TIMEOUT}) has passed"))
}

fn parse(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| is_number)?;
    Some(match unit {
        "H" => Duration::from_secs(number.saturating_mul(3600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
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
