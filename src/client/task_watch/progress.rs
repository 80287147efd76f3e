//! How far a task is.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::proto::eset::dotnod::automation::v1::{DeviceTaskRun, TaskRunStatus};

impl DeviceTaskRun {
    /// The run is over: `FINISHED`, `FAILED` or `SUPPRESSED`. A status that this crate does not know is
    /// no end.
    pub fn is_ended(&self) -> bool {
        use TaskRunStatus::{Failed, Finished, Suppressed};
        matches!(TaskRunStatus::try_from(self.status), Ok(Finished | Failed | Suppressed))
    }

    /// Whether the run has this status. Unlike the getter it does not take an unknown one for
    /// `UNSPECIFIED`.
    fn is(&self, status: TaskRunStatus) -> bool {
        self.status == i32::from(status)
    }
}

/// How far a task is, on each of its devices. Cloning it is cheap.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskProgress {
    inner: Arc<Inner>,
}

#[derive(Debug, PartialEq)]
struct Inner {
    task_uuid: String,
    snapshot: Snapshot,
    counts: DeviceCounts,
    /// The devices whose run is another or in another state than in the item before.
    changed: Vec<String>,
}

/// What is known at a time. The runs are the last ones, by device.
#[derive(Debug, PartialEq)]
pub(super) struct Snapshot {
    pub(super) runs: BTreeMap<String, DeviceTaskRun>,
    pub(super) not_started: Vec<String>,
    pub(super) expired: Vec<String>,
    pub(super) is_complete: bool,
}

impl TaskProgress {
    /// The progress, if it is any since `before`.
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

    /// Whether these are its runs.
    pub(super) fn has_runs(&self, runs: &BTreeMap<String, DeviceTaskRun>) -> bool {
        self.inner.snapshot.runs == *runs
    }

    /// The task.
    pub fn task_uuid(&self) -> &str {
        &self.inner.task_uuid
    }

    /// How many devices are how far.
    pub fn counts(&self) -> DeviceCounts {
        self.inner.counts
    }

    /// The last run on each device that has one, ordered by the devices' uuids.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = &DeviceTaskRun> {
        self.inner.snapshot.runs.values()
    }

    /// The last run on a device.
    pub fn run(&self, device_uuid: &str) -> Option<&DeviceTaskRun> {
        self.inner.snapshot.runs.get(device_uuid)
    }

    /// The runs that are new, or in another state than in the item before; all of them in the first.
    pub fn changed(&self) -> impl Iterator<Item = &DeviceTaskRun> {
        self.inner.changed.iter().filter_map(|device| self.run(device))
    }

    /// The runs that failed. Why may be in their `result`, whose type ESET does not document: look at
    /// its [`type_name`](crate::wkt::Any::type_name) and unpack what you know.
    pub fn failed(&self) -> impl Iterator<Item = &DeviceTaskRun> {
        self.runs().filter(|run| run.is(TaskRunStatus::Failed))
    }

    /// The runs that a suppression policy forbade.
    pub fn suppressed(&self) -> impl Iterator<Item = &DeviceTaskRun> {
        self.runs().filter(|run| run.is(TaskRunStatus::Suppressed))
    }

    /// The devices that the task names and that have not started. Members of groups are not known
    /// before they have.
    pub fn not_started(&self) -> &[String] {
        &self.inner.snapshot.not_started
    }

    /// The devices that the task names and that did not start before its trigger expired, or before it
    /// was deleted.
    pub fn expired(&self) -> &[String] {
        &self.inner.snapshot.expired
    }

    /// Nothing more is waited for; see [`TaskWatch`](super::TaskWatch) for when that is.
    pub fn is_complete(&self) -> bool {
        self.inner.snapshot.is_complete
    }

    /// The task is done and all of its devices, one at least, have finished it well.
    pub fn is_success(&self) -> bool {
        let counts = self.counts();
        self.is_complete() && counts.finished > 0 && counts.finished == counts.total()
    }
}

/// How many devices of a task are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceCounts {
    /// The task names them, and they have no run yet.
    pub not_started: usize,
    /// Queued on the device.
    pub queued: usize,
    /// Running.
    pub running: usize,
    /// Ended well.
    pub finished: usize,
    /// Ended with a failure.
    pub failed: usize,
    /// Forbidden by a suppression policy.
    pub suppressed: usize,
    /// The task names them, and they did not start in time: nothing starts any more.
    pub expired: usize,
    /// In a state that this crate does not know, or that the service does not tell. Not ended.
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

    /// All devices that are known of.
    pub fn total(self) -> usize {
        [self.not_started, self.queued, self.running, self.other]
            .into_iter()
            .fold(self.ended(), usize::saturating_add)
    }

    /// The devices that are not waited for any more: finished, failed, suppressed and expired.
    pub fn ended(self) -> usize {
        [self.finished, self.failed, self.suppressed, self.expired]
            .into_iter()
            .fold(0, usize::saturating_add)
    }
}
