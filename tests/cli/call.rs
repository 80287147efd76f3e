//! `eset-protect call`: every RPC, by flags and by JSON.

use eset_protect::automation::v1::{CreateTaskResponse, DeviceTask, GetTaskResponse};
use eset_protect::emulator::{Emulator, Fault, Faults};
use eset_protect::rpc::METHODS;
use http::StatusCode;
use serde_json::Value;

use crate::command::{DEVICE, GROUP, Server, run};
use crate::support::directory::Directory;

#[test]
fn every_rpc_is_listed_and_has_help_and_a_skeleton() {
    let list = run(&["call"], b"").ok();
    assert_eq!(list.lines().count(), METHODS.len());
    for (line, spec) in list.lines().zip(METHODS) {
        let name = line.split_whitespace().next().unwrap();
        // The newest version of a service needs no package.
        let full = format!("{}/{}", spec.service, spec.method);
        assert!(name == full || full.ends_with(&format!(".{name}")), "{name}: {full}");
        let help = run(&["call", name, "--help"], b"").ok();
        let skeleton = run(&["call", name, "--skeleton"], b"").ok();
        let skeleton: Value = serde_json::from_str(&skeleton).unwrap();
        // Each field has a flag, itself or those of the fields inside it; pages are turned by the command.
        for field in skeleton.as_object().unwrap().keys() {
            let flag: String = field
                .chars()
                .flat_map(|c| c.is_uppercase().then_some('-').into_iter().chain(c.to_lowercase()))
                .collect();
            assert!(help.contains(&format!("--{flag}")), "{name} {flag}: {help}");
        }
        assert!(!help.contains("--page-token"), "{help}");
        assert!(help.contains("--limit") || !spec.is_paged, "{help}");
    }
    assert!(run(&["call", "--help"], b"").ok().contains("SERVICE/METHOD"));
}

#[test]
fn a_skeleton_shows_what_belongs_where() {
    let call = ["call", "DeviceTasks/CreateTask", "--skeleton"];
    let skeleton = run(&call, b"").ok();
    let yaml = run(&[&call[..], &["-o", "yaml"]].concat(), b"").ok();
    assert_eq!(
        serde_saphyr::from_str::<Value>(&yaml).unwrap(),
        serde_json::from_str::<Value>(&skeleton).unwrap()
    );
    assert_eq!(run(&[&call[..], &["--jq", "keys[]"]].concat(), b"").ok(), "task\n");
    assert!(
        run(&[&call[..], &["-o", "csv"]].concat(), b"").fails(2).contains("--output: expected")
    );
    for text in [
        "\"displayName\": \"TEXT\"",
        "\"expireTime\": \"2030-01-01T00:00:00Z\"",
        "\"@type\": \"type.googleapis.com/",
        "\"devicesUuids\": [",
    ] {
        assert!(skeleton.contains(text), "{text}: {skeleton}");
    }
    // As in the schema, not by the alphabet.
    let place = |member: &str| skeleton.find(member).expect(member);
    assert!(
        place("\"displayName\"") < place("\"action\"") && place("\"name\"") < place("\"params\"")
    );
    assert!(place("\"@type\"") < place("\"targets\""), "{skeleton}");
    // What only the server sets is not there.
    assert!(!skeleton.contains("\"uuid\"") && !skeleton.contains("createTime"), "{skeleton}");
    let skeleton = run(&["call", "Policies/CreatePolicy", "--skeleton"], b"").ok();
    assert!(skeleton.contains("Policy.PolicyData\""), "{skeleton}");
}

#[test]
fn names_may_be_short_full_and_in_any_case() {
    let server = Server::empty();
    let create = ["tasks", "create", "--name", "x", "--action", "StopManaging", "--device", DEVICE];
    let task = server.run(&[&create[..], &["-o", "json"]].concat()).json::<CreateTaskResponse>();
    let uuid = task.task.as_ref().unwrap().uuid.clone();
    for name in [
        "DeviceTasks/GetTask",
        "devicetasks/gettask",
        "device-tasks/get-task",
        "eset.dotnod.automation.v1.DeviceTasks/GetTask",
        "/eset.dotnod.automation.v1.DeviceTasks/GetTask",
    ] {
        // Flags of the connection may come before and after it.
        let args = ["-v", "call", "-o", "json", name, "--task-uuid", &uuid, "--wire", "rest"];
        let ran = server.run(&args);
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        let got: GetTaskResponse = serde_json::from_slice(&ran.out).unwrap();
        assert_eq!(got.task, task.task, "{name}");
    }
    let shown = server.run(&["call", "DeviceTasks/GetTask", "--task-uuid", &uuid]).ok();
    assert_eq!(shown, server.run(&["tasks", "get", &uuid]).ok());
    let deleted = server.run(&["call", "DeviceTasks/DeleteTask", "--task-uuid", &uuid]).ok();
    assert_eq!(deleted, "Deleted the task.\n");
    let error = server.run(&["call", "DeviceTasks/GetTask", "--task-uuid", &uuid]).fails(4);
    assert!(error.starts_with("error: GetTask: NOT_FOUND: "), "{error}");
}

/// Flags go into the JSON, whose numbers stay exact.
#[test]
fn json_and_flags_make_a_request() {
    let server = Server::empty();
    let directory = Directory::new();
    let path = directory.join("task.json");
    let params = r#"{"@type":"type.googleapis.com/eset.v9.Newer","depth":12345678901234567890}"#;
    let json = format!(r#"{{"task":{{"displayName":"A","action":{{"params":{params}}}}}}}"#);
    std::fs::write(&path, &json).unwrap();
    let file = format!("@{}", path.display());
    let flags = [
        "--task.display-name",
        "-B",
        "--task.action.name=a.v1.Service/Newer",
        "--task.targets.devices-uuids",
        DEVICE,
        "--task.targets.device-groups-uuids",
        GROUP,
        "--task.triggers",
        "{\"manual\":{}}",
        "--allow-unknown",
        "--output",
        "json",
    ];
    for (input, stdin) in [(&*file, ""), (&*json, ""), ("-", &*json)] {
        let args = [&["call", "DeviceTasks/CreateTask", input][..], &flags].concat();
        let out = server.run_with(&args, stdin.as_bytes()).ok();
        assert!(out.contains("\"depth\":12345678901234567890"), "{out}");
        let created: CreateTaskResponse = serde_json::from_str(&out).unwrap();
        let task = created.task.unwrap();
        assert_eq!(task.display_name, "-B");
        let targets = task.targets.unwrap();
        assert_eq!(targets.devices_uuids, [DEVICE]);
        assert_eq!(targets.device_groups_uuids, [GROUP]);
        assert_eq!(task.triggers.len(), 1);
    }
}

#[test]
fn many_requests_are_many_calls() {
    let server = Server::empty();
    let directory = Directory::new();
    let failed = directory.join("failed");
    let task = |name: &str| {
        format!(
            r#"{{"displayName":"{name}","action":{{"name":"StopManaging"}},"targets":{{"devicesUuids":["{DEVICE}"]}},"triggers":[{{"manual":{{}}}}]}}"#
        )
    };
    // As a list prints them.
    let input = format!("{}\n{}\n", task("a"), task("b"));
    let create = ["call", "DeviceTasks/CreateTask", "-"];
    let ran = server.run_with(&create, input.as_bytes());
    assert_eq!((ran.code, &*ran.err), (0, "2 created\n"));
    let table = String::from_utf8(ran.out).unwrap();
    assert!(table.starts_with("UUID") && table.lines().count() == 3, "{table}");
    // Nothing is sent if one of them is wrong.
    let input = format!("{}\n{}", task("c"), task("d").replace("StopManaging", "StopManagin"));
    let error = server.run_with(&create, input.as_bytes()).fails(2);
    assert!(error.starts_with("error: -: line 2: task.action.name: "), "{error}");
    let tasks = server.run(&["tasks", "list", "-o", "json"]).json_lines::<DeviceTask>();
    assert_eq!(tasks.len(), 2);
    // What failed can be asked for again.
    let get = |uuid: &str| format!(r#"{{"taskUuid":"{uuid}"}}"#);
    let input = [get(&tasks[0].uuid), get("code-7"), get(&tasks[1].uuid)].join(",");
    let args = ["call", "DeviceTasks/GetTask", "-", "--failed", failed.to_str().unwrap()];
    let ran = server.run_with(&args, format!("[{input}]").as_bytes());
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(ran.err.contains("element 2: GetTask: PERMISSION_DENIED"), "{}", ran.err);
    assert!(ran.err.contains("2 shown, 1 failed\n"), "{}", ran.err);
    assert_eq!(String::from_utf8(ran.out).unwrap().lines().count(), 3);
    assert_eq!(std::fs::read_to_string(failed).unwrap(), get("code-7") + "\n");
}

#[test]
fn a_list_is_all_of_its_pages_or_the_first_of_it() {
    let server = Server::seeded();
    let list = ["call", "DeviceTasks/ListTasks", "-o", "json", "--page-size", "7"];
    let all = server.run(&list).ok();
    assert_eq!(all, server.run(&["tasks", "list", "-o", "json"]).ok());
    for limit in [0, 1, 7, 10, 100_000] {
        let number = limit.to_string();
        let some = server.run(&[&list[..], &["--limit", &number]].concat()).ok();
        let expected: Vec<_> = all.lines().take(limit).collect();
        assert_eq!(some.lines().collect::<Vec<_>>(), expected, "{limit}");
    }
    let table = server.run(&["call", "Policies/ListPolicies", "--limit", "2"]).ok();
    assert!(table.starts_with("UUID  ") && table.lines().count() == 3, "{table}");
    assert!(table.contains("  PRODUCT  ") && table.contains("  eset.local."), "{table}");
}

/// The schema says which fields are required; that is no question of versions.
#[test]
fn required_fields_are_missed_before_anything_is_sent() {
    for (args, expected) in [
        (&["Groups/DeleteGroup"][..], "error: --group-uuid: expected a UUID"),
        (&["Groups/MoveGroup", "--group-uuid", "x"], "error: --new-parent-uuid: expected a UUID"),
        (&["Groups/CreateGroup"], "error: --group.display-name, "),
        (&["Devices/BatchGetDevices", "{}"], "error: the request: devicesUuids: expected a value"),
        (&["DeviceTasks/UpdateTaskTriggers", "--task-uuid", "x"], "error: --triggers: expected"),
    ] {
        let error = run(&[&["call"], args, &["--allow-unknown"]].concat(), b"").fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (args, expected) in [
        (&["DeviceTasks/GetTsk"][..], "did you mean DeviceTasks/GetTask"),
        (&["DeviceTask/GetTask"], "did you mean DeviceTasks/GetTask"),
        (&["DeviceTasks"], "expected an RPC as SERVICE/METHOD"),
        (&["DeviceTasks/GetTask"], "error: --task-uuid: expected a UUID"),
        (&["DeviceTasks/GetTask", "--task-uid", "x"], "a similar argument exists: '--task-uuid'"),
        (&["DeviceTasks/GetTask", "7"], "expected a JSON object, the GetTaskRequest of the call"),
        (&["DeviceTasks/GetTask", "{\"taskUid\":1}"], "field `taskUid`: the message has no such"),
        (&["DeviceTasks/GetTask", "@/no/such/file"], "the request /no/such/file: "),
        (&["DeviceTasks/GetTask", "-"], "error: -: it is empty; expected a JSON object"),
        (&["DeviceTasks/GetTask", "--failed", "x", "--task-uuid", "a b"], "--task-uuid: expected"),
        (
            &["PolicyAssignments/UpdatePolicyAssignmentRanking", "--rank", "high"],
            "'--rank <NUMBER>'",
        ),
        (
            &["DeviceTasks/ListTaskRuns", "--list-only-last-runs=maybe"],
            "'maybe' for '--list-only-last-runs",
        ),
        (
            &["DeviceTasks/CreateTask", "--task.triggers", "{"],
            "--task.triggers: expected JSON: EOF",
        ),
        (
            &[
                "PolicyAssignments/ListPolicyAssignments",
                "--target.device-uuid=x",
                "--target.subscription-uuid=y",
            ],
            "cannot be used with '--target.subscription-uuid <UUID>'",
        ),
    ] {
        let error = run(&[&["call"], args].concat(), b"").fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

/// ESET adds values at any time; a made-up number would help nobody.
#[test]
fn an_enum_name_that_is_newer_than_the_command_is_shown() {
    let faults = Faults::new();
    let server = Server::start(Emulator::builder().faults(faults.clone()));
    let body = r#"{"taskRuns":[{"status":"TASK_RUN_STATUS_PAUSED"}]}"#;
    let call = ["call", "DeviceTasks/ListTaskRuns", "--task-uuid", "x"];
    for command in [&["tasks", "runs", "x"][..], &call] {
        for output in ["json", "table"] {
            faults.push(Fault::http(StatusCode::OK, "application/json", body));
            let args = [command, &["--wire", "rest", "--output", output]].concat();
            let runs = server.run(&args).ok().to_lowercase();
            assert!(runs.contains("paused"), "{args:?}: {runs}");
        }
    }
}
