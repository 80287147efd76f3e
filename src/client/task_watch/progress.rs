//! The progress of a task.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::proto::eset::dotnod::automation::v1::{DeviceTaskRun, TaskRunStatus};

impl DeviceTaskRun {
    /// Whether the run has ended: `FINISHED`, `FAILED` or `SUPPRESSED`. A status that this crate does not
    /// know does not count as the end.
    pub fn is_ended(&self) -> bool {
        use TaskRunStatus::{Failed, Finished, Suppressed};
        matches!(TaskRunStatus::try_from(self.status), Ok(Finished | Failed | Suppressed))
    }

    /// Whether the run has this status. Unlike the getter, does not map unknown values to `UNSPECIFIED`.
    fn is(&self, status: TaskRunStatus) -> bool {
        self.status == i32::from(status)
    }
}

/// The progress of a task on each of its devices. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskProgress {
    inner: Arc<Inner>,
}

#[derive(Debug, PartialEq)]
struct Inner {
    task_uuid: String,
    snapshot: Snapshot,
    counts: DeviceCounts,
    /// The devices whose run or status differs from the previous item.
    changed: Vec<String>,
}

/// The state at one time: the last run on each device.
#[derive(Debug, PartialEq)]
pub(super) struct Snapshot {
    pub(super) runs: BTreeMap<String, DeviceTaskRun>,
    pub(super) not_started: Vec<String>,
    pub(super) expired: Vec<String>,
    pub(super) is_complete: bool,
}

impl TaskProgress {
    /// Returns the progress if it differs from `before`.
    pub(super) fn since(
        before: Option<&Self>,
        task_uuid: &str,
        snapshot: Snapshot,
    ) -> Option<Self> {
        let before = before.map(|before| &before.inner.snapshot);
        if before == Some(&snapshot) {
            return None;
        }
        let changed = snapshot.runs.iter().filter(|(device, run)| {
            before.and_then(|before| before.runs.get(*device)) != Some(*run)
        });
        let changed = changed.map(|(device, _)| device.clone()).collect();
        let counts = DeviceCounts::of(&snapshot);
        let task_uuid = task_uuid.to_owned();
        Some(Self { inner: Arc::new(Inner { task_uuid, snapshot, counts, changed }) })
    }

    /// Whether these are the runs of this progress.
    pub(super) fn has_runs(&self, runs: &BTreeMap<String, DeviceTaskRun>) -> bool {
        self.inner.snapshot.runs == *runs
    }

    /// Returns the UUID of the task.
    pub fn task_uuid(&self) -> &str {
        &self.inner.task_uuid
    }

    /// Returns the number of devices in each state.
    pub fn counts(&self) -> DeviceCounts {
        self.inner.counts
    }

    /// Returns the last run on each device that has one, ordered by device UUID.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = &DeviceTaskRun> {
        self.inner.snapshot.runs.values()
    }

    /// Returns the last run on a device.
    pub fn run(&self, device_uuid: &str) -> Option<&DeviceTaskRun> {
        self.inner.snapshot.runs.get(device_uuid)
    }

    /// Returns the runs that are new or changed since the previous item; all runs in the first item.
    pub fn changed(&self) -> impl Iterator<Item = &DeviceTaskRun> {
        self.inner.changed.iter().filter_map(|device| self.run(device))
    }

    /// Returns the runs that failed. Their `result` may contain the reason. ESET does not document its type:
    /// check its [`type_name`](crate::wkt::Any::type_name) and unpack it if you know it.
    pub fn failed(&self) -> impl Iterator<Item = &DeviceTaskRun> {
        self.runs().filter(|run| run.is(TaskRunStatus::Failed))
    }

    /// Returns the runs that a suppression policy forbade.
    pub fn suppressed(&self) -> impl Iterator<Item = &DeviceTaskRun> {
        self.runs().filter(|run| run.is(TaskRunStatus::Suppressed))
    }

    /// Returns the devices named by the task that have not started. Members of groups are not known until
    /// they start.
    pub fn not_started(&self) -> &[String] {
        &self.inner.snapshot.not_started
    }

    /// Returns the devices named by the task that did not start before its trigger expired or before it was
    /// deleted.
    pub fn expired(&self) -> &[String] {
        &self.inner.snapshot.expired
    }

    /// Whether the watch is complete; [`TaskWatch`](super::TaskWatch) explains when that is.
    pub fn is_complete(&self) -> bool {
        self.inner.snapshot.is_complete
    }

    /// Whether the task is done and all of its devices, at least one, finished successfully.
    pub fn is_success(&self) -> bool {
        let counts = self.counts();
        self.is_complete() && counts.finished > 0 && counts.finished == counts.total()
    }
}

/// The number of devices of a task in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceCounts {
    /// Named by the task, and without a run so far.
    pub not_started: usize,
    /// Queued on the device.
    pub queued: usize,
    /// Running.
    pub running: usize,
    /// Finished successfully.
    pub finished: usize,
    /// Failed.
    pub failed: usize,
    /// Forbidden by a suppression policy.
    pub suppressed: usize,
    /// Named by the task but not started in time; no more runs start.
    pub expired: usize,
    /// In a state that this crate does not know or that the service does not report. Not ended.
    pub other: usize,
}

impl DeviceCounts {
    fn of(snapshot: &Snapshot) -> Self {
        let mut counts = Self {
            not_started: snapshot.not_started.len(),
            expired: snapshot.expired.len(),
            ..Self::default()
        };
        for run in snapshot.runs.values() {
            let count = match TaskRunStatus::try_from(run.status) {
                Ok(TaskRunStatus::Queued) => &mut counts.queued,
                Ok(TaskRunStatus::Running) => &mut counts.running,
                Ok(TaskRunStatus::Finished) => &mut counts.finished,
                Ok(TaskRunStatus::Failed) => &mut counts.failed,
                Ok(TaskRunStatus::Suppressed) => &mut counts.suppressed,
                Ok(TaskRunStatus::Unspecified) | Err(_) => &mut counts.other,
            };
            *count = count.saturating_add(1);
        }
        counts
    }

    /// Returns the number of all known devices.
    pub fn total(self) -> usize {
        [self.not_started, self.queued, self.running, self.other]
            .into_iter()
            .fold(self.ended(), usize::saturating_add)
    }

    /// Returns the number of devices that the watch no longer waits for: finished, failed, suppressed and
    /// expired.
    pub fn ended(self) -> usize {
        [self.finished, self.failed, self.suppressed, self.expired]
            .into_iter()
            .fold(0, usize::saturating_add)
    }
}
