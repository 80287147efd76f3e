//! Which devices will run a task, and until when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use super::progress::Snapshot;
use crate::proto::eset::dotnod::automation::v1::{DeviceTask, DeviceTaskRun, Trigger};
use crate::wkt::Timestamp;

/// Triggers created together with their task may be up to this much newer than it.
const SAME_TIME: Duration = Duration::from_secs(1);

/// Which devices will run a task, and until when.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    devices: BTreeSet<String>,
    has_groups: bool,
    is_deleted: bool,
    /// No run starts after this time.
    expires: Option<SystemTime>,
    /// Runs that started before this time belong to an earlier trigger.
    since: Option<Timestamp>,
}

impl Plan {
    pub(super) fn of(task: DeviceTask) -> Self {
        let triggers = &task.triggers;
        let expires = expires(triggers);
        let since = triggered_again(&task);
        let targets = task.targets.unwrap_or_default();
        Self {
            devices: targets.devices_uuids.into_iter().collect(),
            has_groups: !targets.device_groups_uuids.is_empty(),
            is_deleted: false,
            expires,
            since,
        }
    }

    /// Returns the plan after the task was deleted.
    pub(super) fn deleted(self) -> Self {
        Self { is_deleted: true, ..self }
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// Whether the devices that will run it are not all known.
    pub(super) fn is_open(&self) -> bool {
        self.has_groups || self.is_deleted || self.devices.is_empty()
    }

    /// Whether a run counts.
    pub(super) fn counts(&self, run: &DeviceTaskRun) -> bool {
        let is_earlier = match (run.start_time, self.since) {
            (Some(start), Some(since)) => start < since,
            _ => false,
        };
        !is_earlier && (self.is_open() || self.devices.contains(&run.device_uuid))
    }

    /// Returns the progress of the task with these runs.
    pub(super) fn snapshot(
        &self,
        runs: BTreeMap<String, DeviceTaskRun>,
        now: SystemTime,
        margin: Duration,
        is_settled: bool,
    ) -> Snapshot {
        let is_expired = self
            .expires
            .is_some_and(|time| time.checked_add(margin).is_some_and(|time| time < now));
        let is_over = self.is_deleted || is_expired;
        let missing = self.devices.iter().filter(|device| !runs.contains_key(*device));
        let missing: Vec<_> = missing.cloned().collect();
        let (not_started, expired) =
            if is_over { (Vec::new(), missing) } else { (missing, Vec::new()) };
        let have_ended = not_started.is_empty() && runs.values().all(DeviceTaskRun::is_ended);
        let is_all = !self.is_open() || is_over;
        let is_likely_all = is_settled && !(self.has_groups && runs.is_empty());
        let is_complete = have_ended && (is_all || is_likely_all);
        Snapshot { runs, not_started, expired, is_complete }
    }
}

/// Returns until when any trigger lets the task start; `None` if unknown.
fn expires(triggers: &[Trigger]) -> Option<SystemTime> {
    let times: Option<Vec<_>> = triggers.iter().map(|t| t.as_manual()?.expire_time).collect();
    SystemTime::try_from(times?.into_iter().max()?).ok()
}

/// Returns when the task was triggered, if that was not at its creation.
fn triggered_again(task: &DeviceTask) -> Option<Timestamp> {
    let times: Option<Vec<_>> = task.triggers.iter().map(|t| t.as_manual()?.create_time).collect();
    let triggered = times?.into_iter().min()?;
    let created = SystemTime::try_from(task.create_time?).ok()?;
    let later = SystemTime::try_from(triggered).ok()?.duration_since(created).ok()?;
    (later > SAME_TIME).then_some(triggered)
}
