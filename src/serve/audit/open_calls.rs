//! The calls that have begun and not ended.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::call::Call;

/// A call that has begun.
pub(super) struct OpenCall {
    pub(super) call: Call,
    pub(super) begun: Instant,
    /// Whether it may have been sent.
    pub(super) is_sent: bool,
}

/// The calls of one server that have begun and not ended, by id.
#[derive(Default)]
pub(super) struct OpenCalls {
    calls: Mutex<HashMap<u64, OpenCall>>,
    /// Notified when there are none.
    is_empty: Notify,
}

impl OpenCalls {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<u64, OpenCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a call, if it is there.
    pub(super) fn take(&self, id: u64) -> Option<OpenCall> {
        let mut calls = self.lock();
        let taken = calls.remove(&id);
        if calls.is_empty() {
            self.is_empty.notify_waiters();
        }
        taken
    }

    /// Waits until there are none.
    pub(super) async fn ended(&self) {
        // It is notified of what happens from here on.
        let is_empty = self.is_empty.notified();
        if !self.lock().is_empty() {
            is_empty.await;
        }
    }
}
