//! `eset-protect tasks`.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use eset_protect::automation::v1::{
    CreateTaskResponse, DeleteTaskResponse, DeviceTask, DeviceTaskRun, GetTaskResponse,
    TaskRunStatus, trigger::Kind,
};
use eset_protect::emulator::{Emulator, ManualClock};
use eset_protect::params::{OnDemandScan, RunCommand, ShutdownComputer, SystemUpdate};

use crate::command::{DEVICE, GROUP, Server, run};

/// Creates a task and returns it.
fn create(server: &Server, args: &[&str]) -> DeviceTask {
    let args = [&["tasks", "create", "--output", "json"], args].concat();
    server.run(&args).json::<CreateTaskResponse>().task.unwrap()
}

#[test]
fn create_from_flags() {
    let server = Server::empty();
    let task = create(
        &server,
        &[
            "--name",
            "Scan",
            "--description",
            "All of it",
            "--action",
            "OnDemandScan",
            "--scan-profile",
            "InDepth",
            "--scan-targets",
            "eset://AllTargets",
            "--cleaning-enabled",
            "--device",
            DEVICE,
            "--device",
            GROUP,
            "--group",
            GROUP,
            "--expires",
            "2040-01-01T02:00:00+02:00",
        ],
    );
    assert_eq!((&*task.display_name, &*task.description), ("Scan", "All of it"));
    let targets = task.targets.unwrap();
    assert_eq!(targets.devices_uuids, [DEVICE, GROUP]);
    assert_eq!(targets.device_groups_uuids, [GROUP]);
    let Some(Kind::Manual(manual)) = &task.triggers[0].kind else { panic!("no manual trigger") };
    assert_eq!(manual.expire_time.unwrap().to_string(), "2040-01-01T00:00:00Z");
    let scan: OnDemandScan = task.action.unwrap().params.unwrap().unpack().unwrap();
    assert_eq!(scan.scan_profile().as_str_name(), "InDepth");
    assert_eq!((scan.cleaning_enabled, scan.shutdown_enabled), (Some(true), None));
    assert_eq!(scan.scan_targets, ["eset://AllTargets"]);
}

#[test]
fn create_the_other_actions_from_flags() {
    let server = Server::empty();
    let action = |args: &[&str]| {
        let args = [&["--name", "x", "--device", DEVICE], args].concat();
        create(&server, &args).action.unwrap()
    };
    let run = action(&[
        "--action",
        "RunCommand",
        "--command-line",
        "dir /s",
        "--current-directory",
        "C:\\",
    ]);
    let run: RunCommand = run.params.unwrap().unpack().unwrap();
    assert_eq!(run.command_line.as_deref(), Some("dir /s"));
    assert_eq!(run.current_directory.as_deref(), Some("C:\\"));
    let shutdown = action(&["--action", "ShutdownComputer"]).params.unwrap();
    assert_eq!(shutdown.unpack::<ShutdownComputer>().unwrap().restart, None);
    let restart = action(&["--action", "ShutdownComputer", "--restart"]).params.unwrap();
    assert_eq!(restart.unpack::<ShutdownComputer>().unwrap().restart, Some(true));
    let update = action(&["--action", "SystemUpdate", "--accept-eula", "--allow-reboot"]);
    let update: SystemUpdate = update.params.unwrap().unpack().unwrap();
    assert_eq!(update.accept_eula, Some(true));
    assert_eq!((update.allow_reboot, update.install_optional_updates), (Some(true), None));
    assert_eq!(action(&["--action", "StartNetworkIsolation"]).params, None);
    let scan = action(&["--action", "InitiateVulnerabilityScan"]).params.unwrap();
    assert_eq!(scan.type_name(), "eset.dotnod.vulnerability_management.v1.ScanRequest");
    // The set of actions is open.
    let newer = action(&["--action", "a.v1.Service/Newer", "--allow-unknown"]);
    assert_eq!(newer.name, "a.v1.Service/Newer");
}

#[test]
fn params_with_and_without_their_type() {
    let server = Server::empty();
    let params = |action: &str, json: &str| {
        let args = ["--name", "x", "--device", DEVICE, "--action", action, "--params", json];
        let args = [&args[..], &["--allow-unknown"]].concat();
        let json = serde_json::to_string(&create(&server, &args).action.unwrap().params);
        json.unwrap()
    };
    let url = "type.googleapis.com/Era.Common.DataDefinition.Task.OS.ShutdownComputer";
    let typed = format!(r#"{{"@type":"{url}","restart":true,"actions":{{"postpone":"OneHour"}}}}"#);
    assert_eq!(params("ShutdownComputer", &typed), typed);
    let untyped = r#" {"restart":true,"actions":{"postpone":"OneHour"}}"#;
    assert_eq!(params("ShutdownComputer", untyped), typed);
    assert_eq!(params("ShutdownComputer", "{ }"), format!(r#"{{"@type":"{url}"}}"#));
    // Data that ESET adds later is kept.
    let newer = r#"{"restart":false,"delay":12345678901234567890}"#;
    let kept = params("ShutdownComputer", newer);
    assert!(kept.ends_with(r#""restart":false,"delay":12345678901234567890}"#), "{kept}");
    let unknown = r#"{"@type":"type.googleapis.com/a.v1.Newer","x":[1]}"#;
    assert_eq!(params("Newer", unknown), unknown);
}

#[test]
fn what_get_prints_can_be_created_again() {
    let server = Server::empty();
    let newer = r#"{"scanProfile":"Quantum","budget":{"files":12345678901234567890}}"#;
    let args = [
        "--name",
        "Scan",
        "--action",
        "OnDemandScan",
        "--params",
        newer,
        "--device",
        DEVICE,
        "--expires",
        "2040-01-01T00:00:00Z",
        "--allow-unknown",
    ];
    let first = create(&server, &args);
    let printed = server.run(&["tasks", "get", &first.uuid, "--output", "json"]).ok();
    assert!(printed.contains(r#""scanProfile":"Quantum""#), "{printed}");
    assert!(printed.contains(r#""budget":{"files":12345678901234567890}"#), "{printed}");
    let create = ["tasks", "create", "--file", "-", "--allow-unknown", "--output", "json"];
    let second: CreateTaskResponse = server.run_with(&create, printed.as_bytes()).json();
    let second = second.task.unwrap();
    assert_ne!(second.uuid, first.uuid);
    assert_eq!((second.display_name, second.action), (first.display_name, first.action));
}

#[test]
fn get_list_and_delete() {
    let server = Server::empty();
    let task = create(
        &server,
        &["--name", "Stop", "--action", "ShutdownComputer", "--restart", "--device", DEVICE],
    );
    let got: GetTaskResponse = server.run(&["tasks", "get", &task.uuid, "--output=json"]).json();
    assert_eq!(got.task.as_ref(), Some(&task));
    let shown = server.run(&["tasks", "get", &task.uuid]).ok();
    for text in [&*task.uuid, "ShutdownComputer", "\"restart\": true", DEVICE] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let listed: Vec<DeviceTask> = server.run(&["tasks", "list", "--output", "json"]).json_lines();
    assert_eq!(listed, std::slice::from_ref(&task));
    let table = server.run(&["tasks", "list"]).ok();
    assert!(table.starts_with("UUID"), "{table}");
    assert!(table.contains(&task.uuid) && table.contains("Stop"), "{table}");

    let deleted = server.run(&["tasks", "delete", &task.uuid]).ok();
    assert_eq!(deleted, format!("Deleted the task {}.\n", task.uuid));
    let error = server.run(&["tasks", "get", &task.uuid]).fails(4);
    assert!(error.starts_with("error: GetTask: NOT_FOUND: "), "{error}");
    let table = server.run(&["tasks", "list"]).ok();
    assert_eq!(table, "UUID  NAME  ACTION  TARGETS  CREATED\n");
    assert_eq!(server.run(&["tasks", "list", "--output", "json"]).ok(), "");
}

#[test]
fn delete_prints_its_empty_answer_as_json() {
    let server = Server::empty();
    let task = create(&server, &["--name", "Stop", "--action", "StopManaging", "--device", DEVICE]);
    let ran = server.run(&["tasks", "delete", &task.uuid, "--output", "json"]);
    assert_eq!(ran.json::<DeleteTaskResponse>(), DeleteTaskResponse {});
}

#[test]
fn runs_go_on_with_the_time() {
    let clock = Arc::new(ManualClock::new(UNIX_EPOCH + Duration::from_secs(1_900_000_000)));
    let server = Server::start(Emulator::builder().clock(Arc::clone(&clock)));
    let task = create(
        &server,
        &["--name", "Scan", "--action", "OnDemandScan", "--device", DEVICE, "--device", GROUP],
    );
    let runs = |args: &[&str]| {
        let args = [&["tasks", "runs", &task.uuid, "--output", "json"], args].concat();
        server.run(&args).json_lines::<DeviceTaskRun>()
    };
    let all = |status: TaskRunStatus| {
        let found = runs(&[]);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|run| run.status() == status), "{found:?}");
    };
    all(TaskRunStatus::Queued);
    clock.advance(Duration::from_secs(11));
    all(TaskRunStatus::Running);
    clock.advance(Duration::from_secs(61));
    all(TaskRunStatus::Finished);
    let one = runs(&["--device", DEVICE, "--list-only-last-runs"]);
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].device_uuid, DEVICE);
    let table = server.run(&["tasks", "runs", &task.uuid]).ok();
    assert!(table.starts_with("STATUS") && table.contains("FINISHED  "), "{table}");
}

#[test]
fn wrong_flags_are_named() {
    let base = ["tasks", "create", "--name", "x", "--device", DEVICE, "--action"];
    for (args, expected) in [
        (
            &["OnDemandScan", "--restart"][..],
            "--restart: it belongs to the action ShutdownComputer",
        ),
        (&["RunCommand"], "error: --command-line: expected a command"),
        (&["KillProcessByPid"], "error: --pid: expected a process id"),
        (
            &["KillProcessByPid", "--pid", "7"],
            "error: --executable-hash-sha1: expected at least one hash of the executable",
        ),
        (&["KillProcessByPid", "--pid", "x"], "'x' for '--pid <NUMBER>': expected a number"),
        (
            &["ApplyApplicationPatch", "--application", "a,b"],
            "error: --application: expected one UUID",
        ),
        (&["Newer", "--allow-unknown", "--params", "{}"], "--params: expected `@type`"),
        (&["OnDemandScan", "--params", "[]"], "--params: expected a JSON object"),
        (&["OnDemandScan", "--params", "{\"scanTargets\":1}"], "scanTargets"),
        (&["OnDemandScan", "--params", "{", "--cleaning-enabled"], "cannot be used with"),
        (&["OnDemandScan", "--expires", "soon"], "--expires"),
        (&["OnDemandScan", "--file", "x"], "cannot be used with"),
        (&["OnDemandScan", "--scan-profile", "Deep"], "possible values"),
    ] {
        let error = run(&[&base, args].concat(), b"").fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    let error = run(&["tasks", "create", "--name", "x", "--action", "StopManaging"], b"").fails(2);
    assert!(error.contains("--device, --group: expected at least one device or group"), "{error}");
}

#[test]
fn wrong_files_are_told_apart() {
    let create = ["tasks", "create", "--file", "-"];
    for (input, expected) in [
        (&b"{"[..], "EOF"),
        (b"", "it is empty; expected {\"task\": {…}}"),
        (b" \r\n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"\xff", "line 1: expected text in UTF-8 or UTF-16"),
        (b"{}", "expected {\"task\": {…}}, as `get` prints it, or a task alone"),
        (b"7", "expected {\"task\": {…}}, as `get` prints it, or a task alone"),
        (
            br#"{"policy":{}}"#,
            "field `task.policy`: the message has no such field; expected {\"task",
        ),
        (
            br#"{"task":{"displayNam":"x"}}"#,
            "field `task.displayNam`: the message has no such field",
        ),
        (br#"{"task":{"displayName":1}}"#, "field `task.displayName`"),
        (br#"{"task":{"source":"NEWER"}}"#, "field `task.source`"),
        (
            br#"{"task":{"triggers":[{"manual":{"expireTime":"x"}}]}}"#,
            "field `task.triggers[0].manual.expireTime`",
        ),
    ] {
        let error = run(&create, input).fails(2);
        assert!(error.starts_with("error: --file -: ") && error.contains(expected), "{error}");
    }
    let error = run(&["tasks", "create", "--file", "/no/such/file"], b"").fails(2);
    assert!(error.contains("--file /no/such/file: "), "{error}");
}
