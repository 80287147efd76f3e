//! Messages for the operator of a server.

use std::sync::Arc;

use tracing::Level;

type Tell = dyn Fn(Level, &str) + Send + Sync;

/// Delivers messages.
#[derive(Clone)]
pub(crate) struct Notifier(Arc<Tell>);

impl Notifier {
    pub(crate) fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |_, notice| tell(notice)))
    }

    /// Tells that something fails, or works again.
    pub(crate) fn notify(&self, notice: &str) {
        (self.0)(Level::WARN, notice);
    }

    /// Tells that what the operator has asked for is done.
    #[cfg(feature = "serve")]
    pub(crate) fn done(&self, notice: &str) {
        (self.0)(Level::INFO, notice);
    }
}

impl Default for Notifier {
    fn default() -> Self {
        Self(Arc::new(|level, notice| match level {
            Level::INFO => tracing::info!(target: "eset_protect::server", "{notice}"),
            _ => tracing::warn!(target: "eset_protect::server", "{notice}"),
        }))
    }
}
