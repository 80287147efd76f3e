//! Runs of tasks: the stored data, the state at a given time, and when a run starts.
//!
//! A run starts when the device picks up the task, which is at once for a device that is on. Before that
//! there is no run, and a device that is off until its trigger expires never gets one. `start_time` is when
//! the device picks up the task, in all states, since it is part of the run's identity. Runs are listed in
//! the order in which they were triggered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use prost::{Message, Name};

use crate::automation::v1::{
    DeviceTask, DeviceTaskRun, ListTaskRunsRequest, ListTaskRunsResponse, TaskRunStatus, Trigger,
};
use crate::check::is_understood;
use crate::emulator::failure::Failure;
use crate::emulator::pace::Outcome;
use crate::emulator::paging::Page;
use crate::emulator::store::{Change, Read, Snapshot};
use crate::emulator::time::later;
use crate::wkt::Timestamp;

/// The stored data of a run, from which its state at any time follows. It is written when the task is
/// triggered and never changes, so changes of the pace or fleet do not change history.
#[derive(Clone, PartialEq, Message)]
struct RunRow {
    #[prost(string, tag = "1")]
    uuid: String,
    #[prost(string, tag = "2")]
    device_uuid: String,
    /// When the device picks up the task, as the API returns it.
    #[prost(message, optional, tag = "3")]
    start_time: Option<Timestamp>,
    /// When it actually does: about a millisecond before `start_time` if another run has the same start time.
    /// Before this time there is no run.
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
    /// Whether the device has picked up the task.
    fn has_started(&self, now: Timestamp) -> bool {
        self.due_time.is_some_and(|due| due <= now)
    }

    /// Returns the run at this time.
    ///
    /// The start time is the same in all states, since it is part of the run's identity: task, device and
    /// start time ([facts](crate::facts#automation)). Only finished and failed runs have an end time. There
    /// is no result, because ESET documents no type for it ([facts](crate::facts#automation)).
    fn at(self, task_uuid: &str, now: Timestamp) -> DeviceTaskRun {
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

/// Returns the collection of a task's runs, which exists even after the task is deleted.
fn collection(task_uuid: &str) -> String {
    format!("{}/{task_uuid}", DeviceTaskRun::full_name())
}

/// Lists the started runs of a task.
pub(crate) fn list(
    snapshot: &Snapshot<'_>,
    request: ListTaskRunsRequest,
    page: Page,
) -> Result<ListTaskRunsResponse, Failure> {
    let ListTaskRunsRequest { task_uuid, device_uuid, list_only_last_runs, .. } = request;
    let task = DeviceTask::full_name();
    if snapshot.sequence_of(&task, &task_uuid)?.is_none() {
        return Err(Failure::not_found(&task, &task_uuid));
    }
    let now = snapshot.environment().now();
    let wanted = |first| {
        let runs = decoded(snapshot, &task_uuid, first)?;
        Ok::<_, Failure>(runs.filter(|run| match run {
            Ok((_, _, run)) => {
                run.has_started(now) && (device_uuid.is_empty() || run.device_uuid == device_uuid)
            }
            Err(_) => true,
        }))
    };
    let last = if list_only_last_runs { Some(last_runs(wanted(0)?)?) } else { None };
    let Some(first) = page.start() else { return Ok(ListTaskRunsResponse::default()) };
    let runs = wanted(first)?
        .filter(|run| match (run, &last) {
            (Ok((key, _, run)), Some(last)) => {
                last.get(&run.device_uuid).is_some_and(|(_, last)| last == key)
            }
            _ => true,
        })
        .map(|run| run.map(|(key, size, run)| (key, size, run.at(&task_uuid, now))));
    let (task_runs, next_page_token) = page.take(runs)?;
    Ok(ListTaskRunsResponse { task_runs, next_page_token })
}

/// Creates the runs for the task's triggers on these devices. A device that is off gets one when it returns,
/// unless all triggers have expired by then.
pub(crate) fn start(
    change: &mut Change<'_>,
    now: Timestamp,
    task: &DeviceTask,
    devices: &BTreeSet<String>,
) -> Result<(), Failure> {
    let Some(expire_time) = task.triggers.iter().filter_map(expire_time).max() else {
        return Ok(());
    };
    let last_runs = last_runs(decoded(change, &task.uuid, 0)?)?;
    let collection = collection(&task.uuid);
    let is_understood = task.action.as_ref().is_some_and(is_understood);
    for device in devices {
        let Some(due) = change.environment().fleet.reached(device, now) else { continue };
        if due > expire_time {
            continue;
        }
        // Task, device and start time identify a run, so two never start at the same time.
        let start = last_runs.get(device).map_or(due, |(last, _)| due.max(later(*last, 1)));
        let end = match change.environment().outcome(task, is_understood, device) {
            Outcome::Finished => TaskRunStatus::Finished,
            Outcome::Failed => TaskRunStatus::Failed,
            Outcome::Suppressed => TaskRunStatus::Suppressed,
        };
        let sequence = change.sequence()?;
        let run = RunRow {
            uuid: change.environment().ids.id(sequence),
            device_uuid: device.clone(),
            start_time: Some(start),
            due_time: Some(due),
            queued_millis: millis(change.environment().pace.queued),
            running_millis: millis(change.environment().pace.running),
            end: end.into(),
        };
        change.put(&collection, sequence, &run.encode_to_vec())?;
    }
    Ok(())
}

/// Returns until when a trigger lets its task start.
pub(crate) fn expire_time(trigger: &Trigger) -> Option<Timestamp> {
    trigger.as_manual()?.expire_time
}

/// Removes the runs of a task that have not started.
pub(crate) fn withdraw(
    change: &mut Change<'_>,
    task_uuid: &str,
    is_withdrawn: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let now = change.environment().now();
    let mut withdrawn = Vec::new();
    for run in decoded(change, task_uuid, 0)? {
        let (sequence, _, run) = run?;
        if !run.has_started(now) && is_withdrawn(&run.device_uuid) {
            withdrawn.push(sequence);
        }
    }
    withdrawn
        .into_iter()
        .try_for_each(|sequence| change.remove_row(&collection(task_uuid), sequence))
}

/// A run with its sequence number and size.
type Numbered = (u64, usize, RunRow);

fn decoded<'a, T: Read>(
    tables: &'a T,
    task_uuid: &str,
    first: u64,
) -> Result<impl Iterator<Item = Result<Numbered, Failure>> + use<'a, T>, Failure> {
    let rows = tables.rows_from(&collection(task_uuid), first)?;
    Ok(rows.map(|row| {
        let (sequence, row) = row?;
        Ok((sequence, row.len(), RunRow::decode(row.as_slice())?))
    }))
}

/// Returns the start time and the sequence number of the run that started last on each device.
fn last_runs(
    runs: impl Iterator<Item = Result<Numbered, Failure>>,
) -> Result<BTreeMap<String, (Timestamp, u64)>, Failure> {
    let mut last = BTreeMap::new();
    for run in runs {
        let (sequence, _, run) = run?;
        let start = run.start_time.unwrap_or_default();
        let latest = last.entry(run.device_uuid).or_insert((start, sequence));
        *latest = (start, sequence).max(*latest);
    }
    Ok(last)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
