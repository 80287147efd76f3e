//! Tracks the state of a call and decides what follows a failed attempt.

use std::time::Duration;

use tokio::time::Instant;

use super::RetryPolicy;
use super::context::Policy;
use super::pushback::Pushback;
use super::retry_policy::is_safe;
use crate::error::{Error, ErrorKind};
use crate::rpc::MethodSpec;
use crate::telemetry::{self, GivenUp};
use crate::transport::Sent;

/// The state of a call.
pub(super) struct CallState<'a> {
    spec: &'static MethodSpec,
    policy: &'a Policy,
    retry: RetryPolicy,
    deadline: Instant,
    /// The number of times the request was sent.
    pub(super) attempts: u32,
    /// The number of retries that count towards the policy's limit.
    retries: u32,
    /// How many of these there were up to the last wait that the service set: after it the backoff begins anew (gRFC A6).
    retries_before: u32,
    /// The number of refusals by the rate limit, which do not count as retries.
    refusals: u32,
    /// Reports whether part of the current attempt was sent; `None` between attempts, and before the
    /// attempt's request.
    pub(super) sent: Option<Sent>,
    /// Whether the call waits for a token.
    pub(super) is_logging_in: bool,
    /// Whether the service has responded that the response is pending.
    pub(super) is_pending: bool,
    /// Whether any attempt so far may have run.
    pub(super) may_have_executed: bool,
    /// Whether the service refused a token and this call had it renewed.
    pub(super) is_renewed: bool,
    /// Whether the service refused a token that another call had already replaced.
    pub(super) is_replaced: bool,
    /// Whether a refused stream was sent again.
    is_resent: bool,
    /// The error of the previous attempt.
    pub(super) last: Option<Error>,
}

/// What to do after a failed attempt.
pub(super) enum Next {
    /// Return the error to the caller.
    Fail,
    /// Retry immediately.
    Again,
    /// Retry after this time.
    After(Duration),
}

impl<'a> CallState<'a> {
    pub(super) fn new(
        spec: &'static MethodSpec,
        policy: &'a Policy,
        retry: RetryPolicy,
        deadline: Instant,
    ) -> Self {
        Self {
            spec,
            policy,
            retry,
            deadline,
            attempts: 0,
            retries: 0,
            retries_before: 0,
            refusals: 0,
            sent: None,
            is_logging_in: false,
            is_pending: false,
            may_have_executed: false,
            is_renewed: false,
            is_replaced: false,
            is_resent: false,
            last: None,
        }
    }

    /// Starts an attempt.
    pub(super) fn begin(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
    }

    /// Records the end of an attempt.
    pub(super) fn end<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        let is_sent = self.sent.take().is_none_or(|sent| sent.is_possible());
        let result = result.map_err(|error| {
            let is_unsent = error.kind() == ErrorKind::Deadline && !is_sent;
            if is_unsent { error.unsent() } else { error }
        });
        match &result {
            // Its permit would have come too late, or it cannot be sent at all.
            Err(error) if error.is_before_sending() && !error.is_retryable() => {
                self.attempts -= 1;
                return result;
            }
            _ => telemetry::attempted(self.spec, &result),
        }
        match &result {
            Err(error) if error.is_retryable() => {}
            // Any response shows that the service works. A broken connection or an expired deadline shows
            // nothing.
            Err(error) if !is_answer(error) => {}
            _ => self.policy.throttle.answered(),
        }
        result
    }

    /// Decides what to do after an attempt that failed, or that did not start because there was no token.
    pub(super) fn next(&mut self, error: &Error, pushback: Pushback) -> Next {
        self.may_have_executed |= error.may_have_executed();
        if !error.is_retryable() {
            return Next::Fail;
        }
        // A refused stream says nothing about the health of the service.
        if error.is_refused() && error.is_unsent() && !self.is_resent {
            self.is_resent = true;
            telemetry::retry_of_refused(self.spec);
            return Next::Again;
        }
        let policy = self.policy;
        // A rate limit is not a sign of an unhealthy service, and a call should not fail because other
        // programs use up the limit. Another endpoint than the one that failed is not overloaded by a retry.
        let is_limited = error.is_rate_limited();
        let has_tokens = is_limited || error.is_elsewhere() || policy.throttle.failed();
        let give_up = |why| {
            telemetry::given_up(self.spec, error, why);
            Next::Fail
        };
        if !is_safe(self.spec, error) {
            return give_up(GivenUp::NotSafe);
        }
        let counted = if is_limited { 0 } else { self.retries };
        if !self.retry.allows(counted.saturating_add(1)) {
            return give_up(GivenUp::Attempts);
        }
        if !has_tokens {
            return give_up(GivenUp::Throttled(policy.throttle.warnings()));
        }
        let count = if is_limited { &mut self.refusals } else { &mut self.retries };
        *count = count.saturating_add(1);
        let before = if is_limited { 0 } else { self.retries_before };
        let backoff = policy.jitter.draw(self.retry.ceiling(count.saturating_sub(before)));
        let wait = match pushback {
            Pushback::None => backoff,
            Pushback::AtLeast(wait) => wait.max(backoff),
            // In gRFC A6 only a policy's number of attempts can follow each other this closely.
            Pushback::Exactly(wait) if is_limited && !self.retry.allows(self.refusals) => {
                wait.max(backoff)
            }
            Pushback::Exactly(wait) => {
                self.retries_before = self.retries;
                wait
            }
            Pushback::Never => return give_up(GivenUp::Pushback),
        };
        let left = self.deadline.saturating_duration_since(policy.timer.now());
        if wait >= left {
            return give_up(GivenUp::NoTime);
        }
        telemetry::retry(self.spec, error, self.attempts, wait, pushback != Pushback::None);
        Next::After(wait)
    }

    /// Returns the error for the whole call: if any attempt may have run, so may the call.
    pub(super) fn blamed(&self, error: Error) -> Error {
        if self.may_have_executed { error.with_execution(true) } else { error }
    }

    /// Returns the error with which the call fails.
    pub(super) fn failed(&mut self, error: Error) -> Error {
        let error = self.blamed(error);
        self.after_last(error)
    }

    /// Returns the error for an expired deadline; `has_head` is whether the head of a response had arrived.
    pub(super) fn expired(&mut self, timeout: Duration, has_head: bool) -> Error {
        let message = format!("no response within {timeout:?}");
        let error = Error::deadline(message);
        let is_out = self.sent.as_ref().is_some_and(Sent::is_possible);
        let error = match (self.is_logging_in, is_out && !self.is_pending) {
            (true, _) => error.of_credentials(),
            (false, true) if !has_head => error.unanswered(),
            (false, _) => error,
        };
        self.after_last(error.with_execution(self.may_have_executed || is_out))
    }

    /// Adds the previous failure to the error of a call that ran out of time.
    fn after_last(&mut self, error: Error) -> Error {
        match self.last.take() {
            Some(last) if error.kind() == ErrorKind::Deadline => error.after(last),
            _ => error,
        }
    }
}

/// Whether the service responded, even with an error.
fn is_answer(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Status | ErrorKind::Limit) && !error.is_deadline_exceeded()
}
