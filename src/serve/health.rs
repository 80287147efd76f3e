//! Whether the upstream of a tenant answers.

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use tonic::Code;

use crate::error::{Error, ErrorKind};

/// Whether an upstream answered the last call. Nothing asks it between calls, since that would cost budget.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_known: bool,
    down: Option<Down>,
}

/// Since when an upstream is down, and the last error.
#[derive(Clone, Debug)]
pub(super) struct Down {
    pub(super) since: SystemTime,
    pub(super) error: String,
}

impl Health {
    /// Records the outcome of a call. Returns whether the upstream is up if that has changed.
    pub(super) fn record(&self, error: Option<&Error>, problem: Option<Problem>) -> Option<bool> {
        let down = match error {
            Some(error) if problem.is_some() => Some(Error::message(error)),
            // Says nothing about the upstream.
            Some(error) if error.kind() != ErrorKind::Status => return None,
            _ => None,
        };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = !state.is_known || state.down.is_some() != down.is_some();
        state.is_known = true;
        state.down = down.map(|error| {
            let since = state.down.as_ref().map_or_else(SystemTime::now, |down| down.since);
            Down { since, error: error.to_owned() }
        });
        has_changed.then_some(state.down.is_none())
    }

    /// Returns since when the upstream is down.
    pub(super) fn down(&self) -> Option<Down> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).down.clone()
    }
}

/// Why an upstream is of no use to any caller of its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoAnswer,
    /// It refuses the login of the tenant, or there is no token for another reason.
    Login,
}

/// Whose the call was that failed.
#[derive(Clone, Copy)]
pub(super) struct Attempted {
    /// Whether it had the tenant's own login, not the token of the caller.
    pub(super) by_tenant: bool,
    /// Whether the caller said how long it waits, rather than the tenant.
    pub(super) had_deadline: bool,
}

impl Problem {
    /// Returns the problem that made a call fail, if it is one of the upstream.
    pub(super) fn of(error: &Error, attempted: Attempted) -> Option<Self> {
        let is_broken = matches!(error.kind(), ErrorKind::Connect | ErrorKind::Transport);
        let is_of_login = error.is_of_credentials() && error.kind() != ErrorKind::Deadline;
        if error.code() == Code::Unavailable || is_silent(error, attempted) {
            Some(Self::NoAnswer)
        } else if attempted.by_tenant && (is_of_login || error.is_unauthenticated()) {
            Some(Self::Login)
        } else {
            is_broken.then_some(Self::NoAnswer)
        }
    }
}

/// Whether the upstream had enough time and said nothing. The time that a caller sets may be too short.
fn is_silent(error: &Error, attempted: Attempted) -> bool {
    if error.kind() != ErrorKind::Deadline {
        return false;
    }
    // The client's limit for the first byte; also of the attempt before the one that the caller's deadline ended.
    let is_by_limit = |error: &Error| error.is_unanswered() && error.is_retryable();
    let last = error.source().and_then(|source| source.downcast_ref());
    let is_by_timeout = error.is_unanswered() || error.is_of_credentials();
    is_by_limit(error)
        || last.is_some_and(is_by_limit)
        || (is_by_timeout && !attempted.had_deadline)
}
