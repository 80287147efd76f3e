//! The current table of who may call what.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::access::Access;
use crate::error::Error;

/// Replaces who may call what while a [`Bridge`](super::Bridge) serves.
#[derive(Clone, Debug)]
pub struct AccessHandle {
    current: Arc<watch::Sender<Arc<Access>>>,
    /// Whether other machines reach the bridge.
    is_public: Arc<AtomicBool>,
}

impl AccessHandle {
    pub(super) fn new(access: Access) -> Self {
        Self { current: Arc::new(watch::Sender::new(Arc::new(access))), is_public: Arc::default() }
    }

    /// Returns the current table.
    pub fn current(&self) -> Arc<Access> {
        Arc::clone(&self.current.borrow())
    }

    /// Returns the current table and those that replace it.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<Access>> {
        self.current.subscribe()
    }

    /// Decides by this table from the next call on. Calls that have begun go on.
    ///
    /// # Errors
    ///
    /// Fails, and keeps the current table, if the new one lets [anyone](Access::is_open) call and other machines reach
    /// the bridge.
    pub fn replace(&self, access: Access) -> Result<(), Error> {
        if self.is_public.load(Ordering::Relaxed) && access.is_open() {
            return Err(Error::config(
                "the bridge listens beyond loopback: expected callers that show who they are, without `anyone`",
            ));
        }
        self.current.send_replace(Arc::new(access));
        Ok(())
    }

    /// Refuses tables that let anyone call from now on.
    pub(super) fn set_public(&self) {
        self.is_public.store(true, Ordering::Relaxed);
    }
}
