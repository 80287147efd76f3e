//! Events during a call.

use std::time::Duration;

use tonic::Code;

use super::metrics::{
    ATTEMPTS, GIVEN_UP, LOGINS, PENDING_POLLS, RATE_LIMIT_WAIT, RETRIES, count, record,
};
use super::names::method;
use crate::error::{Error, code_name};
use crate::rpc::MethodSpec;
use crate::warn_limit::{WarnLimit, warn_within};

/// Why a failed call is not retried although a retry might help.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GivenUp<'a> {
    /// The call may have run and must not run twice.
    NotSafe,
    /// All attempts are used up.
    Attempts,
    /// The retry budget is exhausted: the service is unhealthy, of which the operator is warned.
    Throttled(&'a WarnLimit),
    /// The service asked for no retry.
    Pushback,
    /// The wait would exceed the deadline.
    NoTime,
}

impl GivenUp<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::NotSafe => "not_safe",
            Self::Attempts => "attempts",
            Self::Throttled(_) => "throttled",
            Self::Pushback => "pushback",
            Self::NoTime => "no_time",
        }
    }
}

/// Records the end of an attempt.
pub(crate) fn attempted<T>(spec: &MethodSpec, result: &Result<T, Error>) {
    let code = || code_name(result.as_ref().map_or_else(Error::code, |_| Code::Ok));
    count!(ATTEMPTS, "rpc.method" => method(spec), "rpc.response.status_code" => code());
}

/// Records a retry after a wait; `is_asked` means that the service asked for the wait.
pub(crate) fn retry(
    spec: &MethodSpec,
    error: &Error,
    attempts: u32,
    wait: Duration,
    is_asked: bool,
) {
    let reason = code_name(error.code());
    tracing::info!(
        target: "eset_protect::call",
        reason, ?wait, asked_by_service = is_asked, attempts, "trying again"
    );
    count!(RETRIES, "rpc.method" => method(spec), "reason" => reason);
}

/// Records that a stream refused by the server is sent again immediately.
pub(crate) fn retry_of_refused(spec: &MethodSpec) {
    let reason = "refused_stream";
    tracing::info!(target: "eset_protect::call", reason, "trying again at once");
    count!(RETRIES, "rpc.method" => method(spec), "reason" => reason);
}

/// Records that the service refused a token. The call is repeated if there is another token.
pub(crate) fn token_refused(spec: &MethodSpec, has_other: bool) {
    let reason = "refused_token";
    tracing::info!(target: "eset_protect::call", reason, has_other, "the service refused the token");
    if has_other {
        count!(RETRIES, "rpc.method" => method(spec), "reason" => reason);
    }
}

/// Records that there will be no retry.
pub(crate) fn given_up(spec: &MethodSpec, error: &Error, why: GivenUp<'_>) {
    let (code, name) = (code_name(error.code()), why.name());
    match why {
        GivenUp::Throttled(limit) => {
            warn_within!(limit, target: "eset_protect::call", code, why = name, "not trying again");
        }
        _ => tracing::debug!(target: "eset_protect::call", code, why = name, "not trying again"),
    }
    count!(GIVEN_UP, "rpc.method" => method(spec), "reason" => name);
}

/// Records the end of a login. `was_refused` is whether the one before it was refused: of several, one warning is enough.
pub(crate) fn login<T>(result: &Result<T, Error>, is_renewal: bool, was_refused: bool) {
    let outcome = match result {
        Ok(_) => {
            if was_refused {
                tracing::warn!(target: "eset_protect::auth", "the login is accepted again");
            }
            tracing::debug!(target: "eset_protect::auth", is_renewal, "got a token");
            "ok"
        }
        Err(error) if error.is_unauthenticated() => {
            if was_refused {
                tracing::debug!(target: "eset_protect::auth", is_renewal, "the login was refused again");
            } else {
                tracing::warn!(target: "eset_protect::auth", is_renewal, "the login was refused");
            }
            "refused"
        }
        Err(error) => {
            let code = code_name(error.code());
            tracing::info!(target: "eset_protect::auth", is_renewal, code, "the login failed");
            "failed"
        }
    };
    count!(LOGINS, "outcome" => outcome);
}

/// Records that a server closed a connection because of too many pings. New connections use this interval.
pub(crate) fn too_many_pings(interval: Duration) {
    tracing::warn!(
        target: "eset_protect::wire",
        ?interval,
        "a server wants fewer pings (GOAWAY, too_many_pings): longer keep-alive interval from now on"
    );
}

/// Records that an endpoint failed so often in a row, and that calls avoid it for this time.
pub(crate) fn ejected(endpoint: &str, failures: u32, wait: Duration) {
    tracing::info!(target: "eset_protect::wire", endpoint, failures, ?wait, "ejected an endpoint");
}

/// Records that a response is pending and will be polled after a pause.
pub(crate) fn pending(spec: Option<&MethodSpec>, polls: u32, pause: Duration) {
    tracing::debug!(target: "eset_protect::wire", polls, ?pause, "the response is pending");
    match spec {
        Some(spec) => count!(PENDING_POLLS, "rpc.method" => method(spec)),
        None => count!(PENDING_POLLS),
    }
}

/// Records the wire that the server speaks.
#[cfg(feature = "rest")]
pub(crate) fn wire_chosen(wire: &'static str) {
    tracing::info!(target: "eset_protect::wire", wire, "chose the wire");
}

/// Records the wait of a call under the rate limit. `is_in_time` is false if the wait would exceed the
/// deadline.
pub(crate) fn rate_limited(wait: Duration, is_in_time: bool) {
    if wait.as_millis() == 0 && is_in_time {
        return;
    }
    tracing::debug!(target: "eset_protect::call", ?wait, is_in_time, "under the rate limit");
    let outcome = if is_in_time { "waited" } else { "refused" };
    record!(RATE_LIMIT_WAIT, wait, "outcome" => outcome);
}
