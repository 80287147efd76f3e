//! One request on the wire and its answer: what bounds it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use crate::error::{Error, ErrorKind};
use crate::telemetry::Sending;
use crate::timer::{Timer, within};

/// What bounds each exchange of an attempt; over REST an attempt has several if its answer is pending.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) timer: Arc<dyn Timer>,
    /// When the call must be done, if it has a deadline. Whoever makes the call sees to it; here it is for
    /// the far side.
    deadline: Option<Instant>,
    /// How long one exchange may take.
    timeout: Option<Duration>,
    /// What it is in the eyes of who observes.
    pub(crate) sending: Sending,
}

impl Exchange {
    /// An exchange without bounds of its own.
    pub(crate) fn new(timer: Arc<dyn Timer>) -> Self {
        Self { timer, deadline: None, timeout: None, sending: Sending::default() }
    }

    /// An exchange of a call with a deadline, which may take so long itself.
    pub(crate) fn of_call(self, deadline: Instant, timeout: Option<Duration>) -> Self {
        Self { deadline: Some(deadline), timeout, ..self }
    }

    /// How long the call still has.
    fn left(&self) -> Duration {
        self.deadline
            .map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(self.timer.now()))
    }

    /// How long the far side has.
    pub(crate) fn time(&self) -> Duration {
        self.timeout.unwrap_or(Duration::MAX).min(self.left())
    }

    /// Whether an exchange ends before the call does.
    pub(crate) fn is_bounded(&self) -> bool {
        self.timeout.is_some_and(|timeout| timeout < self.left())
    }

    /// Exchanges a request for an answer.
    pub(crate) async fn run<T>(
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
