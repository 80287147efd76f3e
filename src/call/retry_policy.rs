//! Which failures are tried again.

use crate::backoff::Backoff;
use crate::error::Error;
use crate::rpc::MethodSpec;

/// When a call is tried again, how often and how soon.
///
/// A call is tried again if that is **safe** and **may help**, there are attempts and tokens
/// ([`RetryThrottle`](crate::RetryThrottle)) left, and the wait ends before the deadline.
///
/// | it is safe if | because |
/// |---|---|
/// | the RPC is idempotent ([`MethodSpec::idempotency`]) | a second call changes nothing more |
/// | the error says that nothing ran ([`Error::may_have_executed`] is false): connection refused, `REFUSED_STREAM`, a `GOAWAY` that left the stream out, nothing written, no token, the rate limit | there was no first call |
/// | the answer is pending (202) | asking again with its `response-id` begins nothing |
///
/// | it may help if | why, why not |
/// |---|---|
/// | `UNAVAILABLE`, a broken connection, 502 and 503 | the one code that AIP-194 retries |
/// | `RESOURCE_EXHAUSTED`, 429 | ESET's limit is by the second ("Rate limits" in the help of ESET Connect), and whoever is over it is refused before the call begins: see below |
/// | an attempt took longer than the [attempt timeout](crate::CallOptions::attempt_timeout) | the next connection may be a better one |
/// | not: `DEADLINE_EXCEEDED`, over REST also 504 | the time that the service had was used up ([facts](crate::facts#pending-answers): after 120 s); a proxy's 504 before a gRPC server is `UNAVAILABLE` by gRPC's table |
/// | not: `INTERNAL`, `UNKNOWN`, 500 | something is wrong, and stays wrong |
/// | not: `ABORTED`, 409 | whoever decided on the old state must decide again |
/// | not: a certificate that is expired or another's | as long as nobody mends it |
///
/// The wait is drawn by [`Backoff`]. A service that asks for a longer one by `RetryInfo` or `Retry-After`
/// gets it; `grpc-retry-pushback-ms` is obeyed to the letter, also where it says "never" (gRFC A6). If the
/// wait does not fit before the deadline, the call fails at once with the service's error.
///
/// **The rate limit**: HTTP 429 says that the request was one of too many (RFC 6585, 4), whoever in front of
/// the service says so and on either wire, so it did not run. `RESOURCE_EXHAUSTED` over gRPC says the same
/// where it is the whole answer ("Trailers-Only"); after headers the service has begun (gRFC A6), and a create
/// may have run. Where a server says it of a message that is over its limit of size, trying again does not help.
/// A call that the limit refused is tried again until its deadline, creates too, for the limit does its work
/// and others use it as well: these attempts take nothing of [`max_attempts`](Self::max_attempts), unless that
/// is 1, and nothing of the throttle.
///
/// Beside that, and not counted either: a stream that the server refused unprocessed is sent again at once, once a
/// call (gRFC A6, "transparent retries"); so is a call whose token was refused, with another token.
///
/// After a retry an error says [`may_have_executed`](Error::may_have_executed) if any of the attempts may
/// have: a delete that was tried again and is `NOT_FOUND` was perhaps done by the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    max_attempts: u32,
    backoff: Backoff,
}

impl Default for RetryPolicy {
    /// Five attempts (the most that gRFC A6 allows) with the default [`Backoff`].
    fn default() -> Self {
        Self { max_attempts: 5, backoff: Backoff::default() }
    }
}

impl RetryPolicy {
    /// No retries: what a service wants that has a policy of its own above this one. Transparent retries
    /// and another token remain.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// How often a call may be sent in all, without the attempts that the rate limit refused. 5 by default; 0
    /// counts as 1, and 1 is no retry at all, also of what the rate limit refused.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// How long to wait between attempts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Whether there may be another attempt after `attempts` of them.
    pub(super) fn allows(&self, attempts: u32) -> bool {
        attempts < self.max_attempts
    }

    /// The longest wait before the n-th retry.
    pub(super) fn ceiling(&self, retry: u32) -> std::time::Duration {
        self.backoff.ceiling(retry)
    }
}

/// A second attempt does no harm. What an error tells its caller is what is done here.
pub(super) fn is_safe(spec: &MethodSpec, error: &Error) -> bool {
    spec.idempotency.is_idempotent() || !error.may_have_executed() || error.pending_id().is_some()
}
