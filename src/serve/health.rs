//! Whether the upstream of a tenant is up.
//!
//! The rule, for health checks, readiness and the metadata of failed calls: an upstream is down after a call
//!
//! - that got no answer: there was no connection, the connection broke before the head of a response, nothing arrived in
//!   the time that the server had (that of the tenant's settings, since a deadline of the caller may be too short), or
//!   what arrived says that the service is unavailable (502, 503, 504, or `UNAVAILABLE` over gRPC);
//! - for which the tenant's own login was refused, or gave no token for another reason.
//!
//! A success and every other error of the service show that the upstream is up. An answer that cannot be read, breaks
//! off or stalls, or a reset of the call's own stream, changes nothing: one RPC may be broken while the others work. An upstream
//! that is down counts as up again after [`DOWN_FOR`] without a failure, because clients that obey health checks send
//! nothing meanwhile and nobody else would find out.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::Instant;
use tonic::Code;

use crate::error::{Error, ErrorKind};
use crate::telemetry::Degraded;
use crate::transport::is_by_answering_server;
use crate::warn_limit::{WarnLimit, warn_within};

/// How long an upstream is down after the last call that failed.
const DOWN_FOR: Duration = Duration::from_secs(30);

/// What the last call says of an upstream. Nothing asks it between calls, since that would cost budget.
#[derive(Debug)]
pub(super) struct Health {
    down: watch::Sender<Option<Down>>,
    tenant: Arc<str>,
    degraded: Degraded,
    pages: WarnLimit,
}

/// Since when no call has succeeded, and the last error.
#[derive(Clone, Debug)]
pub(super) struct Down {
    pub(super) since: SystemTime,
    pub(super) error: String,
    /// When to send calls again.
    pub(super) until: Instant,
}

impl Health {
    pub(super) fn new(tenant: Arc<str>) -> Self {
        let degraded = Degraded::of_tenant("tenant", Arc::clone(&tenant));
        Self { down: watch::Sender::default(), tenant, degraded, pages: WarnLimit::new() }
    }

    /// Records the outcome of a call.
    pub(super) fn record(&self, error: Option<&Error>, problem: Option<Problem>) {
        let failed = error.filter(|_| problem.is_some());
        let says_nothing = |error: &Error| problem.is_none() && error.kind() != ErrorKind::Status;
        if error.is_some_and(says_nothing) {
            return;
        }
        let tenant = &*self.tenant;
        // Callers do not get to see it.
        if let Some(page) = error.filter(|error| error.is_foreign() && problem.is_none()) {
            let page = page.message();
            warn_within!(self.pages, target: "eset_protect::server", tenant, "the upstream sent no error of its API: {page}");
        }
        if self.degraded.set(failed.is_some()) {
            match failed.map(Error::message) {
                Some(message) => {
                    tracing::warn!(target: "eset_protect::server", tenant, "the upstream is down: {message}");
                }
                None => {
                    tracing::warn!(target: "eset_protect::server", tenant, "the upstream is up again");
                }
            }
        }
        self.down.send_if_modified(|down| {
            let was_down = down.is_some();
            *down = failed.map(|error| Down {
                since: down.as_ref().map_or_else(SystemTime::now, |down| down.since),
                error: error.message().to_owned(),
                until: Instant::now() + DOWN_FOR,
            });
            was_down || down.is_some()
        });
    }

    /// Returns since when the upstream is down.
    pub(super) fn down(&self) -> Option<Down> {
        self.down.borrow().clone().filter(|down| down.until > Instant::now())
    }

    /// Returns what is recorded from now on. Its time may be [over](Down::until).
    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Down>> {
        self.down.subscribe()
    }
}

/// Why an upstream can serve no caller of its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoAnswer,
    /// It refuses the login of the tenant, or there is no token for another reason.
    Login,
}

/// Who made the call that failed.
#[derive(Clone, Copy)]
pub(super) struct Attempted {
    /// Whether it had the tenant's own login, not the token of the caller.
    pub(super) by_tenant: bool,
    /// Whether the caller said how long it waits, rather than the tenant.
    pub(super) had_deadline: bool,
}

impl Problem {
    /// Returns the problem that made a call fail, if it is one of the upstream: the [rule](self).
    pub(super) fn of(error: &Error, attempted: Attempted) -> Option<Self> {
        let is_of_login = error.is_of_credentials() && error.kind() != ErrorKind::Deadline;
        if is_unavailable(error) || is_silent(error, attempted) {
            Some(Self::NoAnswer)
        } else if attempted.by_tenant && (is_of_login || error.is_unauthenticated()) {
            Some(Self::Login)
        } else {
            None
        }
    }
}

/// Whether there was no connection, it broke before an answer, or the answer was that the service is unavailable.
fn is_unavailable(error: &Error) -> bool {
    // gRPC's table has this code for HTTP's 429, too.
    error.code() == Code::Unavailable && !error.is_rate_limited() && !is_by_answering_server(error)
}

/// Whether the upstream had enough time and said nothing. The time that a caller sets may be too short.
fn is_silent(error: &Error, attempted: Attempted) -> bool {
    if error.kind() != ErrorKind::Deadline {
        return false;
    }
    // The client's limit for the first byte; also of the attempt before the one that the caller's deadline ended.
    let is_by_limit = |error: &Error| error.is_unanswered() && error.is_retryable();
    let last = error.underlying().and_then(|cause| cause.downcast_ref());
    let is_by_timeout = error.is_unanswered() || error.is_of_credentials();
    is_by_limit(error)
        || last.is_some_and(is_by_limit)
        || (is_by_timeout && !attempted.had_deadline)
}
