//! When to poll for the pending response (202) of a call or a login ([facts](crate::facts#pending-responses)).

use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;
use tonic::Code;

use crate::error::{Error, ErrorKind};

/// How long and how often to poll for a pending response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingPolicy {
    /// The time after which the service itself gives up.
    pub(crate) limit: Duration,
    /// The first pause; each next one is half as long again, up to `max_pause`.
    pub(crate) first_pause: Duration,
    pub(crate) max_pause: Duration,
}

impl Default for PendingPolicy {
    /// ESET's gateway gives up after 120 s.
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(120),
            first_pause: Duration::from_secs(1),
            max_pause: Duration::from_secs(5),
        }
    }
}

/// The polls for one response.
#[derive(Debug)]
pub(crate) struct Polls {
    policy: PendingPolicy,
    started: Instant,
    pause: Duration,
    /// How often the response was pending so far.
    pub(crate) count: u32,
}

impl Polls {
    pub(crate) fn new(policy: PendingPolicy, now: Instant) -> Self {
        Self { policy, started: now, pause: policy.first_pause, count: 0 }
    }

    /// The pause before the next poll, since the response is pending; at least `asked`, if the service asks for one.
    ///
    /// # Errors
    ///
    /// If it has been pending for too long, or would be.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        asked: Option<Duration>,
    ) -> Result<Duration, Error> {
        let (own, limit) = (self.pause, self.policy.limit);
        let pause = asked.unwrap_or_default().max(own);
        if now.saturating_duration_since(self.started).saturating_add(pause) > limit {
            let message = match asked.filter(|asked| *asked > own) {
                Some(asked) => format!(
                    "the response is pending, and the service wants to be asked again after {asked:?}: \
                     that would be later than {limit:?} after the first request"
                ),
                None => format!("the response was still pending after {limit:?}"),
            };
            return Err(Error::deadline(message));
        }
        self.count = self.count.saturating_add(1);
        self.pause = own.saturating_add(own / 2).min(self.policy.max_pause);
        Ok(pause)
    }
}

/// Returns the error of a request that polled for a pending response, if there is an id. The service accepted the
/// call before: what happens to a poll does not mean that the call was refused.
pub(crate) fn of_poll(error: Error, id: Option<&HeaderValue>) -> Error {
    let Some(id) = id else { return error };
    match error.code() {
        _ if error.kind() != ErrorKind::Status => error.with_pending_id(id),
        Code::NotFound => {
            let message = format!(
                "the service no longer has the response that it said was pending; the call may have \
                 run ({})",
                error.message()
            );
            // If started again, the call gets a new response.
            error.into_protocol(message).transient()
        }
        Code::Unauthenticated
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::Unavailable => error.with_pending_id(id),
        // The response to the call.
        _ => error,
    }
}
