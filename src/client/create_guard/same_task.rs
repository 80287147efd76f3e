//! Decides whether a task is the one that a create would have made.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::proto::eset::dotnod::automation::v1::{Action, DeviceTask, DeviceTaskTargets, Trigger};
use crate::wkt::{Any, Timestamp};

/// Services may store times less precisely than they receive them.
const SAME_TIME: Duration = Duration::from_secs(1);

/// Whether the service would have created `found` from `wanted`, regardless of the time.
pub(super) fn is_same(wanted: &DeviceTask, found: &DeviceTask) -> bool {
    let group = &wanted.asset_group_uuid;
    wanted.display_name == found.display_name
        && wanted.description == found.description
        && (group.is_empty() || *group == found.asset_group_uuid)
        && both(&wanted.action, &found.action, is_same_action)
        && targets(wanted.targets.as_ref()) == targets(found.targets.as_ref())
        && wanted.triggers.iter().all(|trigger| has_trigger(&found.triggers, trigger))
}

/// Returns when a task was created, as far as the service reports it.
pub(super) fn created_at(task: &DeviceTask) -> Option<SystemTime> {
    // In ESET's schema, the task's time is newer than the trigger's (FACTS.md#automation).
    let triggered =
        || task.triggers.iter().filter_map(|trigger| trigger.as_manual()?.create_time).max();
    SystemTime::try_from(task.create_time.or_else(triggered)?).ok()
}

fn is_same_action(wanted: &Action, found: &Action) -> bool {
    wanted.name == found.name && both(&wanted.params, &found.params, is_same_any)
}

/// Whether both are missing, or both are there and the same.
fn both<T>(wanted: &Option<T>, found: &Option<T>, is_same: fn(&T, &T) -> bool) -> bool {
    match (wanted, found) {
        (Some(wanted), Some(found)) => is_same(wanted, found),
        (wanted, found) => wanted.is_none() && found.is_none(),
    }
}

/// Whether both are the same message: of the same type, with the same bytes or the same JSON without
/// defaults.
fn is_same_any(wanted: &Any, found: &Any) -> bool {
    if wanted.type_name() == found.type_name() && wanted.value == found.value {
        return true;
    }
    // A message without a JSON form here can be compared by its bytes only.
    content(wanted).zip(content(found)).is_some_and(|(wanted, found)| wanted == found)
}

/// Returns the type, which JSON contains even for types unknown to this crate, and the members.
fn content(any: &Any) -> Option<(String, Value)> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(any) else { return None };
    let url = members.remove("@type")?;
    let name = url.as_str()?.rsplit('/').next()?.to_owned();
    let mut content = Value::Object(members);
    drop_defaults(&mut content);
    Some((name, content))
}

/// Removes members with default values. Elements of lists are kept, because their position matters.
fn drop_defaults(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(drop_defaults);
            members.retain(|_, member| !is_default(member));
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_defaults),
        _ => {}
    }
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

fn targets(targets: Option<&DeviceTaskTargets>) -> [BTreeSet<&str>; 2] {
    fn set(uuids: &[String]) -> BTreeSet<&str> {
        uuids.iter().map(String::as_str).collect()
    }
    match targets {
        Some(targets) => [set(&targets.devices_uuids), set(&targets.device_groups_uuids)],
        None => Default::default(),
    }
}

fn has_trigger(found: &[Trigger], wanted: &Trigger) -> bool {
    // A trigger of a kind that this API does not support is refused, so it created nothing.
    let Some(wanted) = wanted.as_manual() else { return false };
    found.iter().filter_map(Trigger::as_manual).any(|found| {
        match (wanted.expire_time, found.expire_time) {
            (None, _) => true,
            (Some(wanted), Some(found)) => are_close(wanted, found),
            (Some(_), None) => false,
        }
    })
}

fn are_close(a: Timestamp, b: Timestamp) -> bool {
    let (Ok(a), Ok(b)) = (SystemTime::try_from(a), SystemTime::try_from(b)) else {
        return a == b;
    };
    let difference = a.duration_since(b).or_else(|_| b.duration_since(a));
    difference.is_ok_and(|difference| difference < SAME_TIME)
}
