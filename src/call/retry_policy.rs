//! Decides which failed calls are retried.

use crate::backoff::Backoff;
use crate::error::Error;
use crate::rpc::MethodSpec;

/// When a call is retried, how often and after which wait.
///
/// A call is retried if that is **safe** and **may help**, if attempts and tokens
/// ([`RetryThrottle`](crate::RetryThrottle)) are left, and if the wait ends before the deadline.
///
/// | safe if | because |
/// |---|---|
/// | the RPC is idempotent ([`MethodSpec::idempotency`]) | a second call has no further effect |
/// | the error says that the call did not run ([`Error::may_have_executed`] is false): connection refused, `REFUSED_STREAM`, a `GOAWAY` before the stream, nothing written, no token, the rate limit | there was no first call |
/// | the response is pending (202) | polling with its `response-id` starts nothing |
///
/// | may help | reason |
/// |---|---|
/// | `UNAVAILABLE`, a broken connection, 502 and 503 | the one code that AIP-194 retries |
/// | `RESOURCE_EXHAUSTED`, 429 | ESET's limit is per second ("Rate limits" in the help of ESET Connect), and calls above it are refused before they start: see below |
/// | an attempt exceeded the [attempt timeout](crate::CallOptions::attempt_timeout) | the next connection may be better |
/// | not: `DEADLINE_EXCEEDED`, over REST also 504 | the service used up its time ([facts](crate::facts#pending-responses): after 120 s); a proxy's 504 in front of a gRPC server is `UNAVAILABLE` by gRPC's table |
/// | not: `INTERNAL`, `UNKNOWN`, 500 | the cause is likely to persist |
/// | not: `ABORTED`, 409 | the caller decided on outdated state and must decide again |
/// | not: an expired or mismatched certificate | it stays invalid until it is replaced |
///
/// [`Backoff`] determines the wait. If the service asks for a longer one with `RetryInfo` or `Retry-After`,
/// that is used; `grpc-retry-pushback-ms` is followed exactly, even if it forbids a retry, and the backoff
/// begins anew after it (gRFC A6). If the wait would exceed the deadline, the call fails at once with the service's
/// error. A gRPC server learns from `grpc-previous-rpc-attempts` how often it was asked before.
///
/// **The rate limit**: HTTP 429 means that the request exceeded a limit (RFC 6585, 4) and did not run,
/// whichever gateway in front of the service sends it, on either wire. Over gRPC, `RESOURCE_EXHAUSTED` means
/// the same if it is the whole response ("Trailers-Only"); after headers the service has started the call
/// (gRFC A6), and a create may have run. If the server refuses a message because of its size, a retry does
/// not help. A call that the limit refused is repeated until its deadline, even a create, because others use
/// the limit too: these attempts do not count towards [`max_attempts`](Self::max_attempts), unless that is 1,
/// nor towards the throttle. gRFC A6 ends a call after `max_attempts`, however short its pushback. So after
/// that many refusals, `grpc-retry-pushback-ms` is only the minimum, like `Retry-After`, and the backoff keeps
/// a pushback of 0 from becoming a flood of requests.
///
/// Two more kinds of repetition do not count: a stream that the server refused unprocessed is sent again
/// immediately, once per call (gRFC A6, "transparent retries"), and a call whose token was refused is sent
/// again with another token.
///
/// After retries, [`may_have_executed`](Error::may_have_executed) is true if any of the attempts may have run.
///
/// # Deletes
///
/// A delete whose response was lost is repeated, and finds nothing if the first attempt deleted the resource. So a call
/// that [deletes](MethodSpec::is_delete) a resource **succeeds** if the service answers `NOT_FOUND` to an attempt after
/// one that may have run, over either wire: the resource is gone. A resource that never existed looks the same. The
/// first attempt's `NOT_FOUND` is an error, and so is a page or text with the status 404, which a proxy sends.
/// [`RetryPolicy::none`] leaves it to you.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    max_attempts: u32,
    backoff: Backoff,
}

impl Default for RetryPolicy {
    /// Five attempts (the maximum in gRFC A6) with the default [`Backoff`].
    fn default() -> Self {
        Self { max_attempts: 5, backoff: Backoff::default() }
    }
}

impl RetryPolicy {
    /// Creates a policy without retries, for services that have their own retry policy on top of this client.
    /// Transparent retries and retries with another token remain.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// Sets the maximum number of attempts, not counting those that the rate limit refused. 5 by default. 0
    /// counts as 1, and 1 means no retries at all, not even after the rate limit.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the waits between attempts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Whether another attempt is allowed after this number of attempts.
    pub(super) fn allows(&self, attempts: u32) -> bool {
        attempts < self.max_attempts
    }

    /// Returns the longest wait before retry n.
    pub(super) fn ceiling(&self, retry: u32) -> std::time::Duration {
        self.backoff.ceiling(retry)
    }
}

/// Whether a second attempt does no harm. This follows what the error reports to the caller.
pub(super) fn is_safe(spec: &MethodSpec, error: &Error) -> bool {
    spec.idempotency.is_idempotent() || !error.may_have_executed() || error.pending_id().is_some()
}
