//! The current table of who may call what.

use std::sync::{Arc, PoisonError, RwLock};

use super::access::Access;

/// Replaces who may call what while a [`Bridge`](super::Bridge) serves.
#[derive(Clone, Debug)]
pub struct AccessHandle(Arc<RwLock<Arc<Access>>>);

impl AccessHandle {
    pub(super) fn new(access: Access) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(access))))
    }

    /// Returns the current table.
    pub fn current(&self) -> Arc<Access> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Decides by this table from the next call on. Calls that have begun go on.
    pub fn replace(&self, access: Access) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(access);
    }
}
