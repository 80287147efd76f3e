//! A month of tasks.

use std::time::{Duration, SystemTime};

use super::{GROUPS, Group};
use crate::automation::v1::trigger::Kind;
use crate::automation::v1::{
    Action, DeviceTask, DeviceTaskSource, DeviceTaskTargets, ManualTrigger, Trigger,
};
use crate::emulator::environment::Environment;
use crate::emulator::failure::Failure;
use crate::emulator::store::Change;
use crate::emulator::tasks::create;
use crate::proto::era::common::data_definition::common::AllowedActions;
use crate::proto::era::common::data_definition::common::allowed_actions::Postpone;
use crate::proto::era::common::data_definition::task::ess::OnDemandScan;
use crate::proto::era::common::data_definition::task::ess::on_demand_scan::ScanProfile;
use crate::proto::era::common::data_definition::task::os::{
    RunCommand, ShutdownComputer, SystemUpdate,
};
use crate::proto::eset::dotnod::os_integration::v1::KillProcessByPidRequest;
use crate::proto::eset::dotnod::vulnerability_management::v1::ScanRequest;
use crate::wkt::{Any, Timestamp};

/// So many days, back from now.
const DAYS: u64 = 30;
const DAY: u64 = 86_400;

/// Creates the tasks in the order of their creation, the last one a minute ago, so that its runs are
/// under way.
pub(super) fn fill(change: &mut Change<'_>, environment: &Environment) -> Result<(), Failure> {
    let now = environment.clock.now();
    for days_ago in (0..DAYS).rev() {
        let day = DAYS.saturating_sub(days_ago);
        for (index, task) in tasks_of_day(day).into_iter().enumerate() {
            // From ten hours before the day's end on, an hour apart.
            let hours = 10_u64.saturating_sub(index as u64);
            let back = days_ago.saturating_mul(DAY).saturating_add(hours.saturating_mul(3600));
            let at = before(now, back.saturating_add(60));
            create(change, environment, at, task)?;
        }
    }
    Ok(())
}

fn before(now: SystemTime, seconds: u64) -> Timestamp {
    now.checked_sub(Duration::from_secs(seconds)).unwrap_or(now).into()
}

/// What a day's work is: the same names come again, and with them their templates, except where the
/// description has the day in it.
fn tasks_of_day(day: u64) -> Vec<DeviceTask> {
    let scan = |profile: ScanProfile, clean| OnDemandScan {
        scan_profile: Some(profile.into()),
        scan_targets: vec!["eset://AllTargets".to_owned()],
        cleaning_enabled: Some(clean),
        shutdown_enabled: Some(false),
        ..OnDemandScan::default()
    };
    let [shops, notebooks, servers] = &GROUPS;
    let single = |group: &Group, index: u64| {
        let index = usize::try_from(index).unwrap_or_default() % group.devices.len().max(1);
        let device = group.devices.get(index).copied().unwrap_or_default();
        DeviceTaskTargets {
            devices_uuids: vec![device.to_owned()],
            device_groups_uuids: Vec::new(),
        }
    };
    vec![
        task(
            "Nightly scan",
            format!("{}, day {day}", shops.name),
            "OnDemandScan",
            Some(Any::pack(&scan(ScanProfile::Smart, true))),
            whole(shops),
        ),
        task(
            "Nightly scan",
            format!("{}, day {day}", servers.name),
            "OnDemandScan",
            Some(Any::pack(&scan(ScanProfile::InDepth, false))),
            whole(servers),
        ),
        task(
            "System updates",
            format!("{}, with restart", notebooks.name),
            "SystemUpdate",
            Some(Any::pack(&SystemUpdate {
                accept_eula: Some(true),
                install_optional_updates: Some(false),
                allow_reboot: Some(true),
                reboot_actions: Some(power(Postpone::FiveHours)),
            })),
            whole(notebooks),
        ),
        task(
            "Restart cash registers",
            "Before opening".to_owned(),
            "ShutdownComputer",
            Some(Any::pack(&ShutdownComputer {
                restart: Some(true),
                actions: Some(power(Postpone::Cannot)),
            })),
            whole(shops),
        ),
        task(
            "Network settings",
            format!("Ticket {}", 4000_u64.saturating_add(day)),
            "RunCommand",
            Some(Any::pack(&RunCommand {
                command_line: Some("ipconfig /all".to_owned()),
                current_directory: Some("C:\\".to_owned()),
            })),
            single(notebooks, day),
        ),
        task(
            "Flush DNS",
            format!("Ticket {}", 5000_u64.saturating_add(day)),
            "RunCommand",
            Some(Any::pack(&RunCommand {
                command_line: Some("ipconfig /flushdns".to_owned()),
                current_directory: None,
            })),
            single(shops, day),
        ),
        task(
            "Isolate",
            format!("Incident {}", 100_u64.saturating_add(day)),
            "StartNetworkIsolation",
            None,
            single(notebooks, day),
        ),
        task(
            "End isolation",
            format!("Incident {}", 100_u64.saturating_add(day)),
            "EndNetworkIsolation",
            None,
            single(notebooks, day),
        ),
        task(
            "Stop miner",
            format!("Incident {}", 100_u64.saturating_add(day)),
            "KillProcessByPid",
            Some(Any::pack(&KillProcessByPidRequest {
                pid: u32::try_from(4000_u64.saturating_add(day)).unwrap_or_default(),
                executable_hash_sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned(),
                executable_hash_sha2_256: String::new(),
            })),
            single(servers, day),
        ),
        task(
            "Vulnerability scan",
            servers.name.to_owned(),
            "InitiateVulnerabilityScan",
            Some(Any::pack(&ScanRequest {})),
            whole(servers),
        ),
        task(
            "Scan after detection",
            format!("Incident {}", 100_u64.saturating_add(day)),
            "OnDemandScan",
            Some(Any::pack(&scan(ScanProfile::InDepth, true))),
            single(servers, day),
        ),
    ]
}

fn task(
    display_name: &str,
    description: String,
    action: &str,
    params: Option<Any>,
    targets: DeviceTaskTargets,
) -> DeviceTask {
    DeviceTask {
        display_name: display_name.to_owned(),
        description,
        action: Some(Action { name: action.to_owned(), params }),
        targets: Some(targets),
        triggers: vec![Trigger { kind: Some(Kind::Manual(ManualTrigger::default())) }],
        source: DeviceTaskSource::InternalUser.into(),
        ..DeviceTask::default()
    }
}

fn whole(group: &Group) -> DeviceTaskTargets {
    DeviceTaskTargets {
        devices_uuids: Vec::new(),
        device_groups_uuids: vec![group.uuid.to_owned()],
    }
}

fn power(postpone: Postpone) -> AllowedActions {
    AllowedActions {
        cancel_action: Some(postpone != Postpone::Cannot),
        postpone: Some(postpone.into()),
    }
}
