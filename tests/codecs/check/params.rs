//! The actions of tasks and their params.

use super::*;

#[test]
fn a_misspelled_action_is_unknown() {
    for (name, meant) in [
        ("OnDemandScn", Some("OnDemandScan")),
        ("ondemandscan", Some("OnDemandScan")),
        ("Shutdown computer", Some("ShutdownComputer")),
        ("StartNetworkIsolaton", Some("StartNetworkIsolation")),
        ("Scan", Some("OnDemandScan")),
        (
            "eset.dotnod.scan_management.v1.ScanManager/CreateScn",
            Some("eset.dotnod.scan_management.v1.ScanManager/CreateScan"),
        ),
        ("Quarantine", None),
        ("💥", None),
    ] {
        assert_one(&task(Action::new(name)), ProblemKind::Unknown, "action.name", meant);
    }
    for name in ["", "  "] {
        assert_one(&task(Action::new(name)), ProblemKind::Refused, "action.name", None);
    }
    let without = DeviceTask { action: None, ..task(Action::stop_managing()) };
    assert_one(&without, ProblemKind::Refused, "action", None);
}

#[test]
fn params_must_have_the_type_of_their_action() {
    let with = |name: &str, params: Any| task(Action { name: name.into(), params: Some(params) });
    let command = Any::pack(&RunCommand::new("dir"));
    for name in ["OnDemandScan", "StartNetworkIsolation"] {
        let task = with(name, command.clone());
        assert_one(&task, ProblemKind::Wrong, "action.params", None);
    }
    // An unknown action may take params of any type.
    let task = with("eset.dotnod.scan_management.v1.ScanManager/CreateScan", command);
    assert_eq!(problems(&task), []);
    // An unknown type may be newer.
    let newer = params("eset.v9.Newer", r#","x":1"#);
    assert_one(&with("StopManaging", newer), ProblemKind::Unknown, "action.params.@type", None);
    let typo = params("Era.Common.DataDefinition.Task.OS.RunComand", r#","commandLine":"dir""#);
    let meant = "Era.Common.DataDefinition.Task.OS.RunCommand";
    let task = with("RunCommand", typo);
    assert_one(&task, ProblemKind::Unknown, "action.params.@type", Some(meant));
    // No type at all, and bytes that do not decode.
    let kinds = |task: &DeviceTask| problems(task).iter().map(|p| p.kind).max();
    assert_eq!(kinds(&with("RunCommand", Any::default())), Some(ProblemKind::Wrong));
    let broken = Any { value: vec![0xff].into(), ..Any::pack(&RunCommand::default()) };
    assert_eq!(kinds(&with("RunCommand", broken)), Some(ProblemKind::Refused));
}

#[test]
fn params_must_have_their_required_fields() {
    use ProblemKind::{Refused, Wrong};
    let command = |line: Option<&str>| {
        Action::run_command(RunCommand { command_line: line.map(Into::into), ..Default::default() })
    };
    for action in [Action::new("RunCommand"), command(None), command(Some(""))] {
        assert_one(&task(action), Refused, "action.params.commandLine", None);
    }
    let kill = |pid, sha1: &str| {
        Action::kill_process_by_pid(KillProcessByPidRequest {
            pid,
            executable_hash_sha1: sha1.into(),
            ..Default::default()
        })
    };
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    assert_one(&task(kill(4, "")), Refused, "action.params.executable_hash_sha1", None);
    assert_one(&task(kill(0, sha1)), Wrong, "action.params.pid", None);
    assert_one(&task(kill(4, "da39")), Wrong, "action.params.executable_hash_sha1", None);
    let patch = Action::apply_application_patch(Default::default());
    assert_one(&task(patch), Refused, "action.params.application_uuid", None);
    let removal = Action::software_uninstallation(Default::default());
    assert_one(&task(removal), Wrong, "action.params.softwareName", None);
    let scan = Action::on_demand_scan(OnDemandScan {
        scan_profile: Some(ScanProfile::Custom.into()),
        ..Default::default()
    });
    assert_one(&task(scan), Wrong, "action.params.customProfileName", None);
}

#[test]
fn misspelled_params_are_unknown() {
    let scan = "Era.Common.DataDefinition.Task.ESS.OnDemandScan";
    let with = |members: &str| {
        task(Action { name: "OnDemandScan".into(), params: Some(params(scan, members)) })
    };
    for (members, field, meant) in [
        (r#","scanProfil":"InDepth""#, "action.params.scanProfil", Some("scanProfile")),
        (r#","cleaning_enabled":true"#, "action.params.cleaning_enabled", Some("cleaningEnabled")),
        (r#","scanProfile":"InDepht""#, "action.params.scanProfile", Some("InDepth")),
        (r#","scanProfile":"indepth""#, "action.params.scanProfile", Some("InDepth")),
        (r#","scanProfile":77"#, "action.params.scanProfile", None),
        (
            r#","powerActions":{"postpone":"OneHours"}"#,
            "action.params.powerActions.postpone",
            Some("OneHour"),
        ),
        (
            r#","powerActions":{"canselAction":true}"#,
            "action.params.powerActions.canselAction",
            Some("cancelAction"),
        ),
        (r#","budget":{"files":12345678901234567890}"#, "action.params.budget", None),
    ] {
        assert_one(&with(members), ProblemKind::Unknown, field, meant);
    }
    let line = params("Era.Common.DataDefinition.Task.OS.RunCommand", r#","commandLin":"dir""#);
    let task = task(Action { name: "RunCommand".into(), params: Some(line) });
    let found = problems(&task);
    let fields: Vec<_> = found.iter().map(|problem| (problem.kind, &*problem.field)).collect();
    let needed = (ProblemKind::Refused, "action.params.commandLine");
    assert_eq!(fields, [needed, (ProblemKind::Unknown, "action.params.commandLin")]);
    assert_eq!(found[1].suggestion.as_deref(), Some("commandLine"));

    // Outside an `Any` too, including values that only the binary form can carry.
    let odd = DeviceTask { source: 99, ..self::task(Action::stop_managing()) };
    assert_one(&odd, ProblemKind::Unknown, "source", None);
    let scan = Action::on_demand_scan(OnDemandScan { scan_profile: Some(9), ..Default::default() });
    assert_one(&self::task(scan), ProblemKind::Unknown, "action.params.scanProfile", None);
}
