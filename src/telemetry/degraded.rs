//! Parts of a server that fail for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::metrics::DEGRADED;

/// A part of a server that may fail for a while. The gauge counts what fails, by cause, until it works again or is
/// dropped.
#[derive(Debug)]
pub(crate) struct Degraded {
    cause: &'static str,
    tenant: Arc<str>,
    is_failing: AtomicBool,
}

impl Degraded {
    pub(crate) fn new(cause: &'static str) -> Self {
        Self::of_tenant(cause, Arc::default())
    }

    pub(crate) fn of_tenant(cause: &'static str, tenant: Arc<str>) -> Self {
        Self { cause, tenant, is_failing: AtomicBool::new(false) }
    }

    /// Records whether it fails. Returns whether that has changed, so that the operator is told once.
    pub(crate) fn set(&self, is_failing: bool) -> bool {
        // Each call asks, and hardly any changes it: a load is shared by all cores.
        let has_changed = self.is_failing.load(Ordering::Relaxed) != is_failing
            && self.is_failing.swap(is_failing, Ordering::Relaxed) != is_failing;
        if has_changed {
            self.add(if is_failing { 1.0 } else { -1.0 });
        }
        has_changed
    }

    fn add(&self, change: f64) {
        #[cfg(feature = "metrics")]
        ::metrics::gauge!(DEGRADED, "cause" => self.cause, "tenant" => Arc::clone(&self.tenant))
            .increment(change);
        #[cfg(not(feature = "metrics"))]
        let _ = (DEGRADED, self.cause, &self.tenant, change);
    }
}

impl Drop for Degraded {
    fn drop(&mut self) {
        self.set(false);
    }
}
