//! Records spans and events of the current thread.

use std::sync::LazyLock;

use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};
use tracing::{Dispatch, Subscriber};

/// With only one dispatcher in the process, `tracing` asks that of the thread that reaches an event first whether anybody
/// wants it. In a thread that records nothing, nobody does, and the answer is remembered for all threads. With two, it
/// asks both.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

/// Records by this subscriber until the guard is dropped.
pub fn record(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    LazyLock::force(&ANOTHER);
    set_default(subscriber)
}
