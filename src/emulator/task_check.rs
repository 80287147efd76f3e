//! What a task must look like to be accepted.

use super::failure::{Failure, Violations};
use crate::automation::v1::trigger::Kind;
use crate::automation::v1::{
    DeviceTask, DeviceTaskTargets, ManualTrigger, Trigger, UpdateTaskTargetsRequest,
    UpdateTaskTriggersRequest,
};
use crate::check::refused;
use crate::wkt::Timestamp;

/// A task has at most so many targets, and reaches at most so many devices. Ours.
pub(crate) const MAX_TARGETS: usize = 10_000;
/// A task has at most so many triggers. Ours.
const MAX_TRIGGERS: usize = 100;
/// How long a trigger without `expire_time` lasts: about 30 days ([facts](crate::facts#triggers)).
const TRIGGER_MILLIS: u64 = 30 * 24 * 60 * 60 * 1000;

/// A task to create: what ESET refuses of it is refused here.
pub(crate) fn check_new_task(task: &DeviceTask, now: Timestamp) -> Result<(), Failure> {
    check_count(task.targets.as_ref())?;
    let mut violations = Violations::default();
    note_count(&mut violations, "task.triggers", &task.triggers);
    violations.extend(refused(task, "task.", now));
    violations.check()?;
    super::check::item_size(prost::Message::encoded_len(task))
}

/// New triggers, which must not be empty.
pub(crate) fn check_triggers(
    request: &UpdateTaskTriggersRequest,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut violations = Violations::default();
    note_count(&mut violations, "triggers", &request.triggers);
    violations.extend(refused(request, "", now));
    violations.check()
}

/// New targets, which must be set but may be empty.
pub(crate) fn check_targets(
    request: &UpdateTaskTargetsRequest,
    now: Timestamp,
) -> Result<(), Failure> {
    check_count(request.targets.as_ref())?;
    let mut violations = Violations::default();
    violations.extend(refused(request, "", now));
    violations.check()
}

/// The triggers as they are kept: `create_time` is the server's, whatever the client sent, and
/// `expire_time` is about 30 days later if the client set none ([facts](crate::facts#automation),
/// [facts](crate::facts#triggers)).
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

fn note_count(violations: &mut Violations, field: &str, triggers: &[Trigger]) {
    if triggers.len() > MAX_TRIGGERS {
        violations.add(field, format!("at most {MAX_TRIGGERS} triggers are possible"));
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
