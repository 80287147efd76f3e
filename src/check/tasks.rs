//! Rules for tasks: action, targets and triggers.

use bytes::Bytes;
use prost::Name;

use super::problem::{Findings, ProblemKind};
use super::rules::{Rules, checked, contains, note_name};
use super::uuid::note_uuid;
use crate::automation::v1::trigger::Kind;
use crate::automation::v1::{
    Action, CreateTaskRequest, DeviceTask, Trigger, UpdateTaskTriggersRequest,
};
use crate::params::{
    ACTIONS, ApplyApplicationPatchRequest, GRPC_ACTIONS, KillProcessByPidRequest, KnownAction,
    OnDemandScan, RunCommand, SoftwareUninstallation, on_demand_scan::ScanProfile,
};
use crate::wkt::types;
use crate::wkt::{Any, Timestamp};

checked! { DeviceTask CreateTaskRequest UpdateTaskTriggersRequest }

contains! { CreateTaskRequest of task; }

impl Rules for UpdateTaskTriggersRequest {
    fn note(&self, at: &str, found: &mut Findings, now: Timestamp) {
        note_triggers(&format!("{at}triggers"), &self.triggers, found, now);
    }
}

impl Rules for DeviceTask {
    fn note(&self, at: &str, found: &mut Findings, now: Timestamp) {
        note_name(&format!("{at}display_name"), &self.display_name, found);
        match &self.action {
            None => found.missing(ProblemKind::Refused, format_args!("{at}action"), "an action"),
            Some(action) => note_action(&format!("{at}action."), action, found),
        }
        let has_targets = self.targets.as_ref().is_some_and(|targets| {
            !targets.devices_uuids.is_empty() || !targets.device_groups_uuids.is_empty()
        });
        if !has_targets {
            let expected = "at least one device or group of devices";
            found.missing(ProblemKind::Wrong, format_args!("{at}targets"), expected);
        }
        note_triggers(&format!("{at}triggers"), &self.triggers, found, now);
    }
}

/// Checks the triggers of a task. A new task needs at least one. ESET's API creates manual triggers only.
pub(super) fn note_triggers(
    field: &str,
    triggers: &[Trigger],
    found: &mut Findings,
    now: Timestamp,
) {
    if triggers.is_empty() {
        found.missing(ProblemKind::Refused, field, "at least one trigger, as in {\"manual\": {}}");
    }
    for (index, trigger) in triggers.iter().enumerate() {
        let Some(Kind::Manual(manual)) = &trigger.kind else {
            let field = format_args!("{field}[{index}].manual");
            found.missing(ProblemKind::Refused, field, "a manual trigger; ESET creates no others");
            continue;
        };
        let Some(time) = manual.expire_time else { continue };
        let field = format_args!("{field}[{index}].manual.expire_time");
        if !time.is_valid() {
            let expected = "a time between the years 1 and 9999";
            found.wrong(ProblemKind::Refused, field, &time.to_string(), expected);
        } else if time <= now {
            let now = Timestamp { nanos: 0, ..now };
            let expected = format!("a time in the future; it is {now} now");
            found.wrong(ProblemKind::Wrong, field, &time.to_string(), &expected);
        }
    }
}

/// Checks the action of a task.
pub(super) fn note_action(at: &str, action: &Action, found: &mut Findings) {
    let field = format!("{at}name");
    let name = action.name.as_str();
    let known = KnownAction::find(name);
    if name.trim().is_empty() {
        found.missing(ProblemKind::Refused, field, "the name of an action");
    } else if known.is_none() && !GRPC_ACTIONS.contains(&name) {
        let names = ACTIONS.iter().map(KnownAction::name).chain(GRPC_ACTIONS.iter().copied());
        found.unknown(field, name, "the name of a known action", names);
    }
    let at = format!("{at}params");
    match (known.map(KnownAction::params_type), &action.params) {
        (Some(expected), Some(params)) => {
            note_type(&at, name, expected, params, found);
            note_params(&at, params, found);
        }
        // Missing params lack every required field.
        (Some(Some(type_url)), None) => {
            note_params(&at, &Any { type_url, value: Bytes::new() }, found);
        }
        (None, Some(params)) => note_params(&at, params, found),
        (_, None) => {}
    }
}

/// Checks that the params of a known action have the type that the action expects.
fn note_type(at: &str, action: &str, expected: Option<String>, params: &Any, found: &mut Findings) {
    // An unknown type may be newer than this crate; `unknown` reports it.
    let name = params.type_name();
    if expected.as_deref() == Some(name) || (!name.is_empty() && !is_known(name)) {
        return;
    }
    let expected = match expected {
        Some(expected) => format!("params of type {expected} for {action}"),
        None => format!("no params for {action}"),
    };
    found.wrong(ProblemKind::Wrong, at, name, &expected);
}

/// Whether this is one of the crate's types, except the one that carries JSON of unknown types.
fn is_known(name: &str) -> bool {
    types::find(name).is_some() && name != crate::proto::eset_protect::v1::UnknownAny::full_name()
}

/// Checks the fields that certain types of params require, whatever the action is called.
fn note_params(at: &str, params: &Any, found: &mut Findings) {
    use ProblemKind::{Refused, Wrong};
    if let Some(command) = read::<RunCommand>(at, params, found)
        && command.command_line().trim().is_empty()
    {
        found.missing(Refused, format_args!("{at}.commandLine"), "a command");
    }
    if let Some(kill) = read::<KillProcessByPidRequest>(at, params, found) {
        note_kill(at, &kill, found);
    }
    if let Some(patch) = read::<ApplyApplicationPatchRequest>(at, params, found) {
        note_uuid(format_args!("{at}.application_uuid"), &patch.application_uuid, found);
    }
    if let Some(scan) = read::<OnDemandScan>(at, params, found)
        && scan.scan_profile == Some(ScanProfile::Custom.into())
        && scan.custom_profile_name().is_empty()
    {
        let field = format_args!("{at}.customProfileName");
        found.missing(Wrong, field, "the name of a profile, since scanProfile is Custom");
    }
    if let Some(removal) = read::<SoftwareUninstallation>(at, params, found)
        && removal.software_name().is_empty()
        && !removal.use_opswat()
    {
        let field = format_args!("{at}.softwareName");
        found.missing(Wrong, field, "the name of the software, or useOpswat");
    }
}

/// Checks which process to end. ESET answers 400 if there is no hash at all.
fn note_kill(at: &str, kill: &KillProcessByPidRequest, found: &mut Findings) {
    use ProblemKind::{Refused, Wrong};
    if kill.pid == 0 {
        found.missing(Wrong, format_args!("{at}.pid"), "a process id");
    }
    let hashes = [
        ("executable_hash_sha1", &kill.executable_hash_sha1, 40),
        ("executable_hash_sha2_256", &kill.executable_hash_sha2_256, 64),
    ];
    if hashes.iter().all(|(_, hash, _)| hash.is_empty()) {
        let at = format_args!("{at}.executable_hash_sha1");
        found.missing(Refused, at, "at least one hash of the executable, SHA-1 or SHA-256");
    }
    for (name, hash, digits) in hashes {
        let is_hash = hash.len() == digits && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hash.is_empty() && !is_hash {
            found.wrong(Wrong, format_args!("{at}.{name}"), hash, &format!("{digits} hex digits"));
        }
    }
}

/// Decodes the params if they have this type. Reports bytes that do not decode.
fn read<M: prost::Message + Name + Default>(
    at: &str,
    params: &Any,
    found: &mut Findings,
) -> Option<M> {
    if !params.is::<M>() {
        return None;
    }
    let read = params.unpack();
    if read.is_err() {
        let expected = format!("a message of type {}", M::full_name());
        found.missing(ProblemKind::Refused, at, &expected);
    }
    read.ok()
}
