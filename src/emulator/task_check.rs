//! What a task must look like to be accepted.

use super::check::note_id;
use super::failure::{Failure, Violations};
use crate::automation::v1::trigger::Kind;
use crate::automation::v1::{Action, DeviceTask, DeviceTaskTargets, ManualTrigger, Trigger};
use crate::proto::era::common::data_definition::task::os::RunCommand;
use crate::proto::eset::dotnod::os_integration::v1::KillProcessByPidRequest;
use crate::wkt::{Any, Timestamp};

/// A task has at most so many targets, and reaches at most so many devices. Ours.
pub(crate) const MAX_TARGETS: usize = 10_000;
/// A task has at most so many triggers. Ours.
const MAX_TRIGGERS: usize = 100;
/// How long a trigger without `expire_time` lasts: about 30 days (`facts.md` 4).
const TRIGGER_MILLIS: u64 = 30 * 24 * 60 * 60 * 1000;

/// A task to create: it needs an action with a name and one trigger at least (`facts.md` 1.1).
pub(crate) fn check_new_task(task: &DeviceTask) -> Result<(), Failure> {
    check_count(task.targets.as_ref())?;
    let mut violations = Violations::default();
    match &task.action {
        None => violations.add("task.action", "must be set"),
        Some(action) => note_action(&mut violations, action),
    }
    note_triggers(&mut violations, "task.triggers", &task.triggers);
    if let Some(targets) = &task.targets {
        note_targets(&mut violations, "task.targets", targets);
    }
    violations.check()?;
    super::check::item_size(prost::Message::encoded_len(task))
}

/// New triggers, which must not be empty.
pub(crate) fn check_triggers(triggers: &[Trigger]) -> Result<(), Failure> {
    let mut violations = Violations::default();
    note_triggers(&mut violations, "triggers", triggers);
    violations.check()
}

/// New targets, which must be set but may be empty.
pub(crate) fn check_targets(
    targets: Option<DeviceTaskTargets>,
) -> Result<DeviceTaskTargets, Failure> {
    let targets = targets.ok_or_else(|| Failure::invalid("targets", "must be set"))?;
    check_count(Some(&targets))?;
    let mut violations = Violations::default();
    note_targets(&mut violations, "targets", &targets);
    violations.check()?;
    Ok(targets)
}

/// The triggers as they are kept: `create_time` is the server's, whatever the client sent, and
/// `expire_time` is about 30 days later if the client set none (`facts.md` 1.1, 4, 9).
pub(crate) fn made_triggers(triggers: &[Trigger], now: Timestamp) -> Vec<Trigger> {
    let made = |trigger: &Trigger| {
        let expire_time = expire_time(trigger);
        let manual = ManualTrigger {
            create_time: Some(now),
            expire_time: expire_time.or_else(|| Some(super::runs::later(now, TRIGGER_MILLIS))),
        };
        Trigger { kind: Some(Kind::Manual(manual)) }
    };
    triggers.iter().map(made).collect()
}

/// Until when some trigger lets the task start.
pub(crate) fn last_expiry(triggers: &[Trigger]) -> Option<Timestamp> {
    triggers.iter().filter_map(expire_time).max()
}

fn expire_time(trigger: &Trigger) -> Option<Timestamp> {
    match &trigger.kind {
        Some(Kind::Manual(manual)) => manual.expire_time,
        None => None,
    }
}

fn note_triggers(violations: &mut Violations, field: &str, triggers: &[Trigger]) {
    if triggers.is_empty() {
        violations.add(field, "at least one trigger is needed");
    }
    if triggers.len() > MAX_TRIGGERS {
        violations.add(field, format!("at most {MAX_TRIGGERS} triggers are possible"));
        return;
    }
    for (index, trigger) in triggers.iter().enumerate() {
        match &trigger.kind {
            None => violations.add(
                format!("{field}[{index}].manual"),
                "must be set: only manual triggers can be made",
            ),
            Some(Kind::Manual(manual)) => {
                if manual.expire_time.is_some_and(|time| !time.is_valid()) {
                    violations.add(
                        format!("{field}[{index}].manual.expire_time"),
                        "must be in the years 1 to 9999",
                    );
                }
            }
        }
    }
}

fn note_targets(violations: &mut Violations, field: &str, targets: &DeviceTaskTargets) {
    let lists = [
        ("devices_uuids", &targets.devices_uuids),
        ("device_groups_uuids", &targets.device_groups_uuids),
    ];
    for (list, ids) in lists {
        for (index, id) in ids.iter().enumerate() {
            note_id(violations, &format!("{field}.{list}[{index}]"), id);
        }
    }
}

fn check_count(targets: Option<&DeviceTaskTargets>) -> Result<(), Failure> {
    let count = targets.map_or(0, |targets| {
        targets.devices_uuids.len().saturating_add(targets.device_groups_uuids.len())
    });
    if count <= MAX_TARGETS {
        return Ok(());
    }
    Err(Failure::exhausted(format!("a task has at most {MAX_TARGETS} targets, this one {count}")))
}

fn note_action(violations: &mut Violations, action: &Action) {
    if action.name.is_empty() {
        violations.add("task.action.name", "must not be empty");
    }
    // The params of most actions, known or not, are the business of the device. Two have rules that
    // are documented or seen (`facts.md` 4); they count for the params' type, whatever the name is.
    let params = action.params.as_ref();
    if action.name == "RunCommand" && params.is_none() {
        violations.add("task.action.params.commandLine", "must not be empty");
    }
    if action.name == "KillProcessByPid" && params.is_none() {
        violations.add("task.action.params", "one hash of the executable is needed");
    }
    if let Some(params) = params {
        note_command(violations, params);
        note_kill(violations, params);
    }
}

fn note_command(violations: &mut Violations, params: &Any) {
    if !params.is::<RunCommand>() {
        return;
    }
    match params.unpack::<RunCommand>() {
        Err(_) => violations.add("task.action.params", "is not a RunCommand"),
        Ok(command) if command.command_line().is_empty() => {
            violations.add("task.action.params.commandLine", "must not be empty");
        }
        Ok(_) => {}
    }
}

fn note_kill(violations: &mut Violations, params: &Any) {
    if !params.is::<KillProcessByPidRequest>() {
        return;
    }
    match params.unpack::<KillProcessByPidRequest>() {
        Err(_) => violations.add("task.action.params", "is not a KillProcessByPidRequest"),
        Ok(kill) => {
            if kill.executable_hash_sha1.is_empty() && kill.executable_hash_sha2_256.is_empty() {
                violations.add("task.action.params", "one hash of the executable is needed");
            }
        }
    }
}
