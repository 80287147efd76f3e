//! Messages for the operator of an emulator.

use std::fmt;
use std::sync::Arc;

/// Delivers messages.
#[derive(Clone)]
pub(super) struct Notices(Arc<dyn Fn(&str) + Send + Sync>);

impl Notices {
    pub(super) fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn tell(&self, notice: &str) {
        (self.0)(notice);
    }
}

impl Default for Notices {
    fn default() -> Self {
        Self::new(|notice| tracing::warn!("{notice}"))
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}
