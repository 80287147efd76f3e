//! What tasks do beyond the standard methods: templates, runs, targets and triggers.
//!
//! ESET says what a task is ([facts](crate::facts#automation)). Where the documentation is silent or
//! unclear:
//!
//! * **Templates.** One template exists for each (display name, description, action), and "deleting a
//!   template deletes all templated tasks", so a template has several tasks. Nothing in the API shows
//!   a template but its tasks. So `CreateTask` always makes a new task, with its own uuid, targets and
//!   triggers, and the first task of a template represents the template: deleting it deletes all of
//!   them, deleting a later one deletes that alone. Actions are the same if name, params' type URL and
//!   params' bytes are. The two other readings would lose something: if a second task were merged into
//!   the first, its caller would get a task with the targets of somebody else and could not delete its
//!   own; if deleting any task deleted all, a template could not have tasks that come and go.
//! * **What the server sets**: what the `.proto` file calls `OUTPUT_ONLY`; what a client sends there is
//!   ignored. `source` is `DEVICE_TASK_SOURCE_UNSPECIFIED`, as in ESET's answers to create calls
//!   ([facts](crate::facts#json)). An empty `asset_group_uuid` becomes a fixed group.
//! * **Actions** are an open set, so any name is accepted, and params of any type with any values. A run of
//!   what no device can understand fails: an action or a value that is not known, params of another action.
//! * **Deleting** a task takes back what has not started. Runs that have started go on to their end and
//!   remain listed.

mod runs;

use std::collections::BTreeSet;

use prost::{Message, Name};

use crate::automation::v1::trigger::Kind;
use crate::automation::v1::{
    DeviceTask, DeviceTaskTargets, ManualTrigger, Trigger, UpdateTaskTargetsRequest,
    UpdateTaskTriggersRequest,
};
use crate::emulator::api::{Special, list, write, write_only};
use crate::emulator::check;
use crate::emulator::failure::Failure;
use crate::emulator::fingerprint::Fingerprint;
use crate::emulator::groups;
use crate::emulator::store::{Change, Read};
use crate::emulator::time::later;
use crate::rpc::device_tasks::{
    CreateTask, DeleteTask, ListTaskRuns, UpdateTaskTargets, UpdateTaskTriggers,
};
use crate::wkt::Timestamp;

/// The group of tasks whose maker names none ([facts](crate::facts#automation): chosen by the server).
/// Ours.
const DEFAULT_ASSET_GROUP: &str = "00000000-0000-4000-a000-000000000001";
/// A task has at most so many targets, and reaches at most so many devices. Ours.
const MAX_TARGETS: usize = 10_000;
/// A task has at most so many triggers. Ours.
const MAX_TRIGGERS: usize = 100;
/// How long a trigger without `expire_time` lasts: about 30 days ([facts](crate::facts#triggers)).
const TRIGGER_MILLIS: u64 = 30 * 24 * 60 * 60 * 1000;
/// The tasks with a fingerprint of their template's parts, by sequence number.
const TEMPLATES: &str = "templates";

pub(crate) fn methods() -> [Special; 5] {
    [
        write::<CreateTask, _>(|change, request| {
            create(change, change.environment().now(), request.task.unwrap_or_default())
        }),
        write_only::<DeleteTask>(|change, request| delete(change, &request.task_uuid)),
        list::<ListTaskRuns>(runs::list),
        write_only::<UpdateTaskTargets>(update_targets),
        write_only::<UpdateTaskTriggers>(update_triggers),
    ]
}

/// Creates a task, and runs it on the devices of its targets.
pub(crate) fn create(
    change: &mut Change<'_>,
    now: Timestamp,
    mut task: DeviceTask,
) -> Result<DeviceTask, Failure> {
    check_targets(task.targets.as_ref())?;
    check_triggers("task.triggers", &task.triggers)?;
    if let Some(params) = task.action.as_mut().and_then(|action| action.params.as_mut()) {
        check::settle(params);
    }
    let collection = DeviceTask::full_name();
    let (sequence, uuid) = change.new_id(&collection)?;
    task.uuid = uuid;
    task.version_id = 1;
    task.create_time = Some(now);
    task.update_time = Some(now);
    made_triggers(&mut task.triggers, now);
    if task.asset_group_uuid.is_empty() {
        DEFAULT_ASSET_GROUP.clone_into(&mut task.asset_group_uuid);
    }
    change.link(TEMPLATES, &template_key(&task), sequence, sequence)?;
    change.add(&collection, &task.uuid, sequence, &task.encode_to_vec())?;
    let devices = devices(change, &task)?;
    runs::start(change, now, &task, &devices)?;
    Ok(task)
}

/// Deletes a task: with the first of a template every task of the template.
fn delete(change: &mut Change<'_>, uuid: &str) -> Result<(), Failure> {
    let (sequence, task) = change.get::<DeviceTask>(uuid)?;
    let key = template_key(&task);
    let mut doomed = vec![(sequence, task.clone())];
    let others = change.linked::<DeviceTask>(TEMPLATES, &key, 0..=u64::MAX)?;
    for (other, found) in others.into_iter().filter(|(_, it)| is_same_template(it, &task)) {
        if other < sequence {
            // An earlier task represents the template.
            doomed.truncate(1);
            break;
        }
        if other > sequence {
            doomed.push((other, found));
        }
    }
    for (sequence, task) in doomed {
        runs::withdraw(change, &task.uuid, |_| true)?;
        change.unlink(TEMPLATES, &key, sequence)?;
        change.remove_but_id(&DeviceTask::full_name(), sequence)?;
    }
    Ok(())
}

/// Replaces the targets. While a trigger is open, devices that are new among the targets get the task
/// too; those that are not among them any more keep the runs that they have started, and no more.
fn update_targets(
    change: &mut Change<'_>,
    request: UpdateTaskTargetsRequest,
) -> Result<(), Failure> {
    let now = change.environment().now();
    check_targets(request.targets.as_ref())?;
    let (sequence, mut task) = change.get::<DeviceTask>(&request.task_uuid)?;
    let before = devices(change, &task)?;
    task.targets = Some(request.targets.unwrap_or_default());
    touch(&mut task, now);
    let after = devices(change, &task)?;
    change.write(sequence, &task)?;

    runs::withdraw(change, &task.uuid, |device| !after.contains(device))?;
    let added = after.difference(&before).cloned().collect();
    runs::start(change, now, &task, &added)
}

/// Replaces the triggers. The new ones run the task again; a device that an old one has not reached
/// yet is left to the new ones.
fn update_triggers(
    change: &mut Change<'_>,
    request: UpdateTaskTriggersRequest,
) -> Result<(), Failure> {
    let now = change.environment().now();
    check_triggers("triggers", &request.triggers)?;
    let (sequence, mut task) = change.get::<DeviceTask>(&request.task_uuid)?;
    task.triggers = request.triggers;
    made_triggers(&mut task.triggers, now);
    touch(&mut task, now);
    change.write(sequence, &task)?;

    runs::withdraw(change, &task.uuid, |_| true)?;
    let devices = devices(change, &task)?;
    runs::start(change, now, &task, &devices)
}

fn check_triggers(field: &str, triggers: &[Trigger]) -> Result<(), Failure> {
    if triggers.len() <= MAX_TRIGGERS {
        return Ok(());
    }
    Err(Failure::invalid(field, format!("at most {MAX_TRIGGERS} triggers are possible")))
}

fn check_targets(targets: Option<&DeviceTaskTargets>) -> Result<(), Failure> {
    let count = targets.map_or(0, |targets| {
        targets.devices_uuids.len().saturating_add(targets.device_groups_uuids.len())
    });
    if count <= MAX_TARGETS {
        return Ok(());
    }
    Err(Failure::exhausted(format!("a task has at most {MAX_TARGETS} targets, this one {count}")))
}

/// Completes triggers as ESET stores them: `expire_time` is about 30 days later if the client set none
/// ([facts](crate::facts#automation), [facts](crate::facts#triggers)).
fn made_triggers(triggers: &mut [Trigger], now: Timestamp) {
    for trigger in triggers {
        let expire_time = runs::expire_time(trigger).unwrap_or_else(|| later(now, TRIGGER_MILLIS));
        let manual = ManualTrigger { create_time: Some(now), expire_time: Some(expire_time) };
        trigger.kind = Some(Kind::Manual(manual));
    }
}

fn touch(task: &mut DeviceTask, now: Timestamp) {
    task.version_id = task.version_id.saturating_add(1);
    task.update_time = Some(now);
}

fn is_same_template(one: &DeviceTask, other: &DeviceTask) -> bool {
    one.display_name == other.display_name
        && one.description == other.description
        && one.action == other.action
}

fn template_key(task: &DeviceTask) -> String {
    let mut print = Fingerprint::new().part(&task.display_name).part(&task.description);
    if let Some(action) = &task.action {
        print = print.part(&action.name);
        if let Some(params) = &action.params {
            print = print.part(&params.type_url).part(&params.value);
        }
    }
    format!("{:016x}", print.value())
}

/// Returns the devices that a task reaches: those of its targets and of their groups with the groups below.
fn devices(tables: &impl Read, task: &DeviceTask) -> Result<BTreeSet<String>, Failure> {
    let Some(targets) = &task.targets else { return Ok(BTreeSet::new()) };
    let mut devices = tables.environment().fleet.resolve(targets);
    let mut groups = BTreeSet::new();
    for group in &targets.device_groups_uuids {
        groups.extend(groups::with_subgroups(tables, group)?);
    }
    devices.extend(groups::devices(tables, &groups)?);
    if devices.len() <= MAX_TARGETS {
        return Ok(devices);
    }
    Err(Failure::exhausted(format!("a task reaches at most {MAX_TARGETS} devices")))
}
