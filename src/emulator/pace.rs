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
pub struct Pace {
    /// From the start until it is running.
    pub queued: Duration,
    /// From then until it ends.
    pub running: Duration,
}

impl Default for Pace {
    /// Ten seconds and one minute.
    fn default() -> Self {
        Self { queued: Duration::from_secs(10), running: Duration::from_secs(60) }
    }
}

/// Decides how the run of a task on a device ends.
pub(crate) type OutcomeRule = Arc<dyn Fn(&DeviceTask, &str) -> Outcome + Send + Sync>;
