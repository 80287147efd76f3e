//! Reads and enforces the deadline in `grpc-timeout`.

#[cfg(feature = "_connections")]
pub(crate) mod stream;

use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use tokio::time::Instant;
use tonic::Status;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// When a call must end, if its caller set a deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// Reads the deadline from the headers of a request, counted from now: up to eight digits and a unit,
    /// according to <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
    ///
    /// # Errors
    ///
    /// Returns `INVALID_ARGUMENT` if it cannot be parsed: a call must not run longer than its caller waits.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Status> {
        let Some(value) = headers.get(GRPC_TIMEOUT) else { return Ok(Self(None)) };
        let time = value.to_str().ok().and_then(parse).ok_or_else(|| {
            Status::invalid_argument(format!(
                "{GRPC_TIMEOUT}: {value:?}: expected up to eight digits and a unit (H, M, S, m, u or n), \
                 such as 30S"
            ))
        })?;
        // A time beyond the range of the clock means no limit.
        Ok(Self(Instant::now().checked_add(time)))
    }

    /// Returns the remaining time, if there is a deadline.
    #[cfg(feature = "serve")]
    pub(crate) fn left(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Waits for a call until the deadline.
    ///
    /// # Errors
    ///
    /// Returns `DEADLINE_EXCEEDED` and drops the call.
    pub(crate) async fn limit<F: Future>(self, call: F) -> Result<F::Output, Status> {
        match self.0 {
            // A call must not begin that nobody waits for; the timer below polls it once.
            Some(at) if at <= Instant::now() => Err(exceeded()),
            Some(at) => tokio::time::timeout_at(at, call).await.map_err(|_| exceeded()),
            None => Ok(call.await),
        }
    }
}

fn exceeded() -> Status {
    Status::deadline_exceeded(format!("the deadline of the call ({GRPC_TIMEOUT}) expired"))
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
