//! Runs of tasks: what is stored of one, and what it is at a given time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use prost::Message;

use crate::automation::v1::{DeviceTask, DeviceTaskRun, TaskRunStatus};
use crate::wkt::Timestamp;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Well.
    Finished,
    /// With a failure.
    Failed,
    /// It does not begin: a suppression policy forbids it.
    Suppressed,
}

/// How long a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From the start until it is running.
    pub queued: Duration,
    /// From then until its end.
    pub running: Duration,
}

impl Default for Pace {
    /// Ten seconds and a minute.
    fn default() -> Self {
        Self { queued: Duration::from_secs(10), running: Duration::from_secs(60) }
    }
}

/// Decides how the run of a task on a device ends.
pub(crate) type OutcomeRule = Arc<dyn Fn(&DeviceTask, &str) -> Outcome + Send + Sync>;

/// What is stored of a run: all that its state at any time follows from. It is written when the task
/// is triggered and never changes, so neither another pace nor another fleet changes history.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RunRow {
    #[prost(string, tag = "1")]
    pub(crate) uuid: String,
    #[prost(string, tag = "2")]
    pub(crate) device_uuid: String,
    /// When the device takes the task up, as the API shows it.
    #[prost(message, optional, tag = "3")]
    pub(crate) start_time: Option<Timestamp>,
    /// When it really does: a millisecond or so before `start_time` if that had to give way to another
    /// run's. Until then there is no run.
    #[prost(message, optional, tag = "7")]
    due_time: Option<Timestamp>,
    #[prost(uint64, tag = "4")]
    queued_millis: u64,
    #[prost(uint64, tag = "5")]
    running_millis: u64,
    /// A [`TaskRunStatus`]: finished, failed or suppressed.
    #[prost(int32, tag = "6")]
    end: i32,
}

impl RunRow {
    pub(crate) fn new(
        uuid: String,
        device_uuid: String,
        due_time: Timestamp,
        start_time: Timestamp,
        pace: Pace,
        outcome: Outcome,
    ) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let end = match outcome {
            Outcome::Finished => TaskRunStatus::Finished,
            Outcome::Failed => TaskRunStatus::Failed,
            Outcome::Suppressed => TaskRunStatus::Suppressed,
        };
        Self {
            uuid,
            device_uuid,
            start_time: Some(start_time),
            due_time: Some(due_time),
            queued_millis: millis(pace.queued),
            running_millis: millis(pace.running),
            end: end.into(),
        }
    }

    /// Whether the device has taken the task up.
    pub(crate) fn has_started(&self, now: Timestamp) -> bool {
        self.due_time.is_some_and(|due| due <= now)
    }

    /// The run as it is now.
    ///
    /// The start time stays the same through all states, since it is part of the run's identity: task,
    /// device and start time ([facts](crate::facts#automation)). The end time is that of finished and
    /// failed runs only. There is no result: ESET documents no type for it
    /// ([facts](crate::facts#automation)).
    pub(crate) fn at(self, task_uuid: &str, now: Timestamp) -> DeviceTaskRun {
        let start = self.start_time.unwrap_or_default();
        let running = later(start, self.queued_millis);
        let end = later(running, self.running_millis);
        let last = TaskRunStatus::try_from(self.end).unwrap_or_default();
        let status = if last == TaskRunStatus::Suppressed {
            last
        } else if now < running {
            TaskRunStatus::Queued
        } else if now < end {
            TaskRunStatus::Running
        } else {
            last
        };
        let ended = matches!(status, TaskRunStatus::Finished | TaskRunStatus::Failed);
        DeviceTaskRun {
            uuid: self.uuid,
            task_uuid: task_uuid.to_owned(),
            device_uuid: self.device_uuid,
            status: status.into(),
            start_time: Some(start),
            end_time: ended.then_some(end),
            result: None,
        }
    }
}

/// A time moved on, or the latest there is.
pub(crate) fn later(time: Timestamp, millis: u64) -> Timestamp {
    const LATEST: Timestamp = Timestamp { seconds: 253_402_300_799, nanos: 999_999_999 };
    SystemTime::try_from(time)
        .ok()
        .and_then(|time| time.checked_add(Duration::from_millis(millis)))
        .map(Timestamp::from)
        .filter(Timestamp::is_valid)
        .unwrap_or(LATEST)
}
