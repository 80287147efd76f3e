//! A limit that several processes share.

use std::fmt::Debug;
#[cfg(feature = "serve")]
use std::sync::Arc;
use std::time::Duration;

use crate::timer::BoxFuture;

/// Decides when calls of several processes leave.
pub(crate) trait SharedLimit: Debug + Send + Sync {
    /// Takes the next turn, with this interval between two turns, and returns the time until it comes. Takes none and
    /// returns `None` if it comes later than `left`.
    fn take(&self, interval: Duration, left: Duration) -> BoxFuture<'_, Option<Duration>>;

    /// Returns the limit of this name beside this one.
    #[cfg(feature = "serve")]
    fn alike(&self, name: &str) -> Arc<dyn SharedLimit>;
}
