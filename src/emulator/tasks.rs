//! What the calls on tasks do to the tables.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use redb::ReadableTable;

use super::check;
use super::core::World;
use super::failure::Failure;
use super::fingerprint::Fingerprint;
use super::runs::{RunRow, later};
use super::store::{Tables, new_id, row};
use super::task_check::{
    MAX_TARGETS, check_new_task, check_targets, check_triggers, last_expiry, made_triggers,
};
use crate::automation::v1::{DeviceTask, UpdateTaskTargetsRequest, UpdateTaskTriggersRequest};
use crate::check::is_understood;
use crate::wkt::Timestamp;

/// What errors call a task.
pub(crate) const TASK: &str = "eset.dotnod.automation.v1.DeviceTask";
/// The group of tasks whose maker names none ([facts](crate::facts#automation): chosen by the server).
/// Ours.
const DEFAULT_ASSET_GROUP: &str = "00000000-0000-4000-a000-000000000001";

/// A stored task.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TaskRow {
    #[prost(message, optional, tag = "1")]
    pub(crate) task: Option<DeviceTask>,
    /// The number of the task that founded this one's template; its own for the founder.
    #[prost(uint64, tag = "2")]
    template: u64,
}

/// Creates a task, and runs it on the devices of its targets.
pub(crate) fn create(
    tables: &mut Tables<'_>,
    world: &World,
    now: Timestamp,
    mut task: DeviceTask,
) -> Result<DeviceTask, Failure> {
    check_new_task(&task, now)?;
    if let Some(params) = task.action.as_mut().and_then(|action| action.params.as_mut()) {
        check::settle(params);
    }
    let sequence = tables.sequence()?;
    task.uuid = new_id(&tables.task_ids, &*world.ids, sequence)?;
    task.version_id = 1;
    task.create_time = Some(now);
    task.update_time = Some(now);
    task.triggers = made_triggers(&task.triggers, now);
    if task.asset_group_uuid.is_empty() {
        DEFAULT_ASSET_GROUP.clone_into(&mut task.asset_group_uuid);
    }

    let template = join_template(tables, sequence, &task)?;
    tables.task_ids.insert(task.uuid.as_str(), sequence)?;
    put(tables, sequence, &TaskRow { task: Some(task.clone()), template })?;
    let devices = devices(world, &task)?;
    start_runs(tables, world, now, sequence, &task, &devices)?;
    Ok(task)
}

/// Deletes a task: with a template's founder every task of the template.
pub(crate) fn delete(tables: &mut Tables<'_>, now: Timestamp, uuid: &str) -> Result<(), Failure> {
    let (sequence, found) = find(tables, uuid)?;
    if found.template != sequence {
        return remove(tables, now, found.template, sequence);
    }
    let mut members = Vec::new();
    for entry in tables.template_tasks.range((sequence, 0)..=(sequence, u64::MAX))? {
        members.push(entry?.0.value().1);
    }
    for member in members {
        remove(tables, now, sequence, member)?;
    }
    let print = template_print(&found.task.unwrap_or_default());
    tables.templates.remove((print, sequence))?;
    Ok(())
}

/// Replaces the targets. While a trigger is open, devices that are new among the targets get the task
/// too; those that are not among them any more keep the runs that they have started, and no more.
pub(crate) fn update_targets(
    tables: &mut Tables<'_>,
    world: &World,
    now: Timestamp,
    request: UpdateTaskTargetsRequest,
) -> Result<(), Failure> {
    check_targets(&request, now)?;
    let (sequence, mut found) = find(tables, &request.task_uuid)?;
    let mut task = found.task.take().unwrap_or_default();
    let before = devices(world, &task)?;
    task.targets = request.targets;
    changed(&mut task, now);
    let after = devices(world, &task)?;
    put(tables, sequence, &TaskRow { task: Some(task.clone()), ..found })?;

    withdraw_runs(tables, now, sequence, |device| !after.contains(device))?;
    let added = after.difference(&before).cloned().collect();
    start_runs(tables, world, now, sequence, &task, &added)
}

/// Replaces the triggers. The new ones run the task again; a device that an old one has not reached
/// yet is left to the new ones.
pub(crate) fn update_triggers(
    tables: &mut Tables<'_>,
    world: &World,
    now: Timestamp,
    request: &UpdateTaskTriggersRequest,
) -> Result<(), Failure> {
    check_triggers(request, now)?;
    let (sequence, mut found) = find(tables, &request.task_uuid)?;
    let mut task = found.task.take().unwrap_or_default();
    task.triggers = made_triggers(&request.triggers, now);
    changed(&mut task, now);
    put(tables, sequence, &TaskRow { task: Some(task.clone()), ..found })?;

    withdraw_runs(tables, now, sequence, |_| true)?;
    let devices = devices(world, &task)?;
    start_runs(tables, world, now, sequence, &task, &devices)
}

/// A task that is there, with its number.
fn find(tables: &Tables<'_>, uuid: &str) -> Result<(u64, TaskRow), Failure> {
    let sequence = tables.task_ids.get(uuid)?.map(|sequence| sequence.value());
    let found = match sequence {
        Some(sequence) => row(&tables.tasks, sequence)?.map(|row| (sequence, row)),
        None => None,
    };
    found.ok_or_else(|| Failure::not_found(TASK, uuid))
}

fn changed(task: &mut DeviceTask, now: Timestamp) {
    task.version_id = task.version_id.saturating_add(1);
    task.update_time = Some(now);
}

/// Writes a task, new or changed.
fn put(tables: &mut Tables<'_>, sequence: u64, row: &TaskRow) -> Result<(), Failure> {
    let bytes = row.encode_to_vec();
    super::check::item_size(bytes.len())?;
    tables.put(bytes.len());
    let old = tables.tasks.insert(sequence, bytes.as_slice())?.map(|old| old.value().len());
    if let Some(old) = old {
        tables.taken(old);
    }
    Ok(())
}

/// Removes one task. Its identifier and the runs that have started remain.
fn remove(
    tables: &mut Tables<'_>,
    now: Timestamp,
    template: u64,
    sequence: u64,
) -> Result<(), Failure> {
    withdraw_runs(tables, now, sequence, |_| true)?;
    tables.template_tasks.remove((template, sequence))?;
    let old = tables.tasks.remove(sequence)?.map(|old| old.value().len());
    if let Some(old) = old {
        // The identifier stays, and its share of the row's bytes with it.
        tables.taken(old);
        tables.put(0);
    }
    Ok(())
}

/// The number of the task that founded the template of a new task: itself if there is none yet.
fn join_template(
    tables: &mut Tables<'_>,
    sequence: u64,
    task: &DeviceTask,
) -> Result<u64, Failure> {
    let print = template_print(task);
    let mut founder = None;
    for entry in tables.templates.range((print, 0)..=(print, u64::MAX))? {
        let candidate = entry?.0.value().1;
        let found: Option<TaskRow> = row(&tables.tasks, candidate)?;
        if found.and_then(|row| row.task).is_some_and(|other| same_template(&other, task)) {
            founder = Some(candidate);
            break;
        }
    }
    let founder = match founder {
        Some(founder) => founder,
        None => {
            tables.templates.insert((print, sequence), ())?;
            sequence
        }
    };
    tables.template_tasks.insert((founder, sequence), ())?;
    Ok(founder)
}

fn same_template(one: &DeviceTask, other: &DeviceTask) -> bool {
    one.display_name == other.display_name
        && one.description == other.description
        && one.action == other.action
}

fn template_print(task: &DeviceTask) -> u64 {
    let mut print = Fingerprint::new().part(&task.display_name).part(&task.description);
    if let Some(action) = &task.action {
        print = print.part(&action.name);
        if let Some(params) = &action.params {
            print = print.part(&params.type_url).part(&params.value);
        }
    }
    print.value()
}

fn devices(world: &World, task: &DeviceTask) -> Result<BTreeSet<String>, Failure> {
    let devices = task.targets.as_ref().map(|targets| world.fleet.resolve(targets));
    let devices = devices.unwrap_or_default();
    if devices.len() <= MAX_TARGETS {
        return Ok(devices);
    }
    Err(Failure::exhausted(format!("a task reaches at most {MAX_TARGETS} devices")))
}

/// Makes the runs that the task's triggers give on these devices. A device that is off gets one when
/// it comes back, if no trigger has expired by then; otherwise it gets none.
fn start_runs(
    tables: &mut Tables<'_>,
    world: &World,
    now: Timestamp,
    task_sequence: u64,
    task: &DeviceTask,
    devices: &BTreeSet<String>,
) -> Result<(), Failure> {
    let Some(expire_time) = last_expiry(&task.triggers) else { return Ok(()) };
    let last_starts = last_starts(tables, task_sequence)?;
    let is_understood = task.action.as_ref().is_some_and(is_understood);
    for device in devices {
        let Some(due) = world.fleet.reached(device, now) else { continue };
        if due > expire_time {
            continue;
        }
        // Task, device and start time identify a run, so two never start at once.
        let start = last_starts.get(device).map_or(due, |last| due.max(later(*last, 1)));
        let outcome = world.outcome(task, is_understood, device);
        let sequence = tables.sequence()?;
        let uuid = world.ids.id(sequence);
        let run =
            RunRow::new(uuid, device.clone(), due, start, world.pace, outcome).encode_to_vec();
        tables.put(run.len());
        tables.runs.insert((task_sequence, sequence), run.as_slice())?;
    }
    Ok(())
}

/// When the task last started on each device.
fn last_starts(
    tables: &Tables<'_>,
    task_sequence: u64,
) -> Result<BTreeMap<String, Timestamp>, Failure> {
    let mut last = BTreeMap::new();
    for entry in tables.runs.range((task_sequence, 0)..=(task_sequence, u64::MAX))? {
        let run = RunRow::decode(entry?.1.value())?;
        let start = run.start_time.unwrap_or_default();
        let latest = last.entry(run.device_uuid).or_insert(start);
        *latest = start.max(*latest);
    }
    Ok(last)
}

/// Takes back runs that have not started.
fn withdraw_runs(
    tables: &mut Tables<'_>,
    now: Timestamp,
    task_sequence: u64,
    is_withdrawn: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let mut withdrawn = Vec::new();
    for entry in tables.runs.range((task_sequence, 0)..=(task_sequence, u64::MAX))? {
        let (key, value) = entry?;
        let run = RunRow::decode(value.value())?;
        if !run.has_started(now) && is_withdrawn(&run.device_uuid) {
            withdrawn.push((key.value(), value.value().len()));
        }
    }
    for (key, bytes) in withdrawn {
        tables.runs.remove(key)?;
        tables.taken(bytes);
    }
    Ok(())
}
