//! Whether the upstream of a tenant answers.

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
    pub(super) fn record(&self, error: Option<&Error>) -> Option<bool> {
        let down = match error {
            Some(error) if is_down(error) => Some(Error::message(error)),
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

/// Whether a call failed because its upstream does not answer.
pub(super) fn is_down(error: &Error) -> bool {
    let is_silent = matches!(error.kind(), ErrorKind::Connect | ErrorKind::Transport);
    is_silent || error.code() == Code::Unavailable
}
