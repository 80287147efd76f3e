//! One request on the wire and its answer: what bounds it.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};
use tokio::time::Instant;
use tonic::Code;

use super::retry_after;
use crate::error::{Error, ErrorKind, Secrets};
use crate::rate_limiter::{Outcome, Permit, Priority, RateLimiter};
use crate::telemetry::{self, Sending};
use crate::timer::{Timer, within};

/// Which requests wait for their turn.
#[derive(Clone, Debug, Default)]
pub(crate) enum Limit {
    /// None.
    #[default]
    None,
    /// Those over REST: the limit is ESET's.
    Rest(RateLimiter),
    /// All, as somebody asked for.
    All(RateLimiter),
}

impl Limit {
    /// The limiter, for whichever wire.
    pub(crate) fn limiter(&self) -> Option<&RateLimiter> {
        match self {
            Self::None => None,
            Self::Rest(limiter) | Self::All(limiter) => Some(limiter),
        }
    }

    /// The limiter for gRPC.
    pub(crate) fn of_grpc(&self) -> Option<&RateLimiter> {
        match self {
            Self::All(limiter) => Some(limiter),
            _ => None,
        }
    }

    /// The limiter for REST.
    #[cfg(feature = "rest")]
    pub(crate) fn of_rest(&self) -> Option<&RateLimiter> {
        match self {
            Self::Rest(limiter) => Some(limiter),
            _ => self.of_grpc(),
        }
    }
}

/// What bounds each exchange of an attempt; over REST an attempt has several if its answer is pending.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) limit: Limit,
    /// When the call must be done, if it has a deadline. Whoever makes the call sees to it; here it is for
    /// the server, and for the turn.
    deadline: Option<Instant>,
    /// How long one exchange may take.
    timeout: Option<Duration>,
    /// What is reported of it to spans and metrics.
    pub(crate) sending: Sending,
    /// What is sent as a secret with it.
    pub(crate) secrets: Secrets,
}

/// What an answer means to the rate limit.
pub(crate) trait Answer {
    /// `None` if there was no answer.
    fn outcome(&self, now: SystemTime) -> Option<Outcome>;
}

impl Exchange {
    /// An exchange without bounds of its own.
    #[cfg(feature = "rest")]
    pub(crate) fn new(timer: Arc<dyn Timer>, secrets: Secrets) -> Self {
        Self {
            timer,
            limit: Limit::None,
            deadline: None,
            timeout: None,
            sending: Sending::default(),
            secrets,
        }
    }

    /// An exchange of a call with a deadline, which may take so long itself.
    pub(crate) fn of_call(
        timer: Arc<dyn Timer>,
        limit: Limit,
        deadline: Instant,
        timeout: Option<Duration>,
    ) -> Self {
        Self {
            timer,
            limit,
            deadline: Some(deadline),
            timeout,
            sending: Sending::default(),
            secrets: Secrets::default(),
        }
    }

    /// The same, with so long for one exchange at most, and always less than the call has: so it is the
    /// exchange that ends, which knows what was sent.
    #[cfg(feature = "rest")]
    pub(crate) fn at_most(&self, timeout: Duration) -> Self {
        let timeout = timeout.min(self.time() / 10 * 9);
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// How long the call still has.
    fn left(&self) -> Duration {
        self.deadline
            .map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(self.timer.now()))
    }

    /// How long the server has.
    pub(crate) fn time(&self) -> Duration {
        self.timeout.unwrap_or(Duration::MAX).min(self.left())
    }

    /// Whether an exchange ends before the call does.
    pub(crate) fn is_bounded(&self) -> bool {
        self.timeout.is_some_and(|timeout| timeout < self.left())
    }

    /// Exchanges a request for an answer, when its turn has come.
    pub(crate) async fn run<T, F>(
        &self,
        limiter: Option<&RateLimiter>,
        priority: Priority,
        exchange: impl FnOnce() -> F,
    ) -> Result<T, Error>
    where
        T: Answer,
        F: Future<Output = Result<T, Error>>,
    {
        let turn = self.turn(limiter, priority).await?;
        let result = exchange().await;
        if let Some(turn) = turn {
            let now = self.timer.system_time();
            let outcome = match &result {
                Ok(answer) => answer.outcome(now),
                Err(error) => of_error(error, now),
            };
            // Without an answer it counts all the same: it may have arrived.
            if let Some(outcome) = outcome {
                turn.end(self.timer.now(), outcome);
            }
        }
        result
    }

    async fn turn(
        &self,
        limiter: Option<&RateLimiter>,
        priority: Priority,
    ) -> Result<Option<Permit>, Error> {
        let (Some(limiter), Some(deadline)) = (limiter, self.deadline) else { return Ok(None) };
        let since = self.timer.now();
        let turn = limiter.acquire(priority, &*self.timer, deadline).await;
        let waited = self.timer.now().saturating_duration_since(since);
        telemetry::rate_limited(waited, turn.is_ok());
        turn.map(Some)
    }

    /// Gives an exchange its time.
    pub(crate) async fn timed<T>(
        &self,
        exchange: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(timeout) = self.timeout.filter(|_| self.is_bounded()) else {
            return exchange.await;
        };
        match within(&*self.timer, timeout, exchange).await {
            Some(result) => result,
            None => {
                let message = format!("no answer within {timeout:?}, the time of one attempt");
                let error = Error::new(ErrorKind::Deadline, Code::DeadlineExceeded, message);
                Err(error.transient())
            }
        }
    }
}

impl<M> Answer for tonic::Response<M> {
    fn outcome(&self, _now: SystemTime) -> Option<Outcome> {
        Some(Outcome::Answered)
    }
}

/// What an HTTP answer means to the rate limit.
pub(super) fn of_status(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Outcome {
    match status.as_u16() {
        202 => Outcome::Pending,
        429 => Outcome::Refused { retry_after: retry_after(headers, now) },
        // Not 500, which is about one call more often than about the service.
        502..=504 => Outcome::Overloaded,
        _ => Outcome::Answered,
    }
}

/// What an error over gRPC means to the rate limit.
fn of_error(error: &Error, now: SystemTime) -> Option<Outcome> {
    let headers = error.metadata().as_ref();
    match (error.http_status(), error.kind()) {
        (Some(status), _) => {
            let status = StatusCode::from_u16(status).ok()?;
            Some(of_status(status, headers, now))
        }
        (None, ErrorKind::Status) => Some(match error.code() {
            Code::ResourceExhausted => Outcome::Refused { retry_after: retry_after(headers, now) },
            Code::Unavailable => Outcome::Overloaded,
            _ => Outcome::Answered,
        }),
        (None, ErrorKind::Limit) => Some(Outcome::Answered),
        (None, _) => None,
    }
}
