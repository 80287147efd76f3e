//! How long runs take and how they end.

use std::sync::Arc;
use std::time::Duration;

use crate::automation::v1::DeviceTask;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It succeeds.
    Finished,
    /// It fails.
    Failed,
    /// It does not start: a suppression policy forbids it.
    Suppressed,
}

/// How long a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// From the start until it is running.
    pub queued: Duration,
    /// From then until it ends.
    pub running: Duration,
}

impl Pace {
    /// Creates a pace with these times.
    pub const fn new(queued: Duration, running: Duration) -> Self {
        Self { queued, running }
    }
}

impl Default for Pace {
    /// Ten seconds and one minute.
    fn default() -> Self {
        Self::new(Duration::from_secs(10), Duration::from_secs(60))
    }
}

/// Decides how the run of a task on a device ends.
pub(crate) type OutcomeRule = Arc<dyn Fn(&DeviceTask, &str) -> Outcome + Send + Sync>;
