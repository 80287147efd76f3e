//! Messages for the operator of a server.

use std::sync::Arc;

/// Delivers messages.
#[derive(Clone)]
pub(crate) struct Notifier(Arc<dyn Fn(&str) + Send + Sync>);

impl Notifier {
    pub(crate) fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn notify(&self, notice: &str) {
        (self.0)(notice);
    }
}

impl Default for Notifier {
    fn default() -> Self {
        Self::new(|notice| tracing::warn!("{notice}"))
    }
}
