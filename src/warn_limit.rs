//! Warnings that every call can cause.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the same warning is not repeated.
const PAUSE: Duration = Duration::from_secs(60);

/// When a warning was given last.
#[derive(Debug)]
pub(crate) struct WarnLimit(Mutex<Option<Instant>>);

impl WarnLimit {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether to warn now.
    pub(crate) fn allows(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= PAUSE);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }
}

/// Emits an event at level `WARN`, at most once a minute, and otherwise at level `DEBUG`.
macro_rules! warn_within {
    ($limit:expr, $($event:tt)*) => {
        match $limit.allows() {
            true => tracing::warn!($($event)*),
            false => tracing::debug!($($event)*),
        }
    };
}
pub(crate) use warn_within;
