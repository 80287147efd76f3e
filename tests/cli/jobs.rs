//! Jobs on devices by name: `isolate`, `scan` and others.

use eset_protect::automation::v1::{CreateTaskRequest, CreateTaskResponse, DeviceTask};
use eset_protect::emulator::{Emulator, Fault, Faults};
use eset_protect::params::{OnDemandScan, RunCommand, ShutdownComputer};
use http::StatusCode;
use serde_json::Value;

use crate::command::{DEVICE, Server, run};

const OTHER: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40102";

/// Answers the next list of devices with these.
fn push(faults: &Faults, devices: &[(&str, &str)]) {
    let devices = devices.iter().map(|(uuid, name)| {
        format!(r#"{{"uuid":"{uuid}","displayName":"{name}","primaryLocalIpAddress":"10.0.0.7"}}"#)
    });
    let body = format!(r#"{{"devices":[{}]}}"#, devices.collect::<Vec<_>>().join(","));
    faults.push(Fault::http(StatusCode::OK, "application/json", body));
}

fn server() -> (Server, Faults) {
    let faults = Faults::new();
    (Server::start(Emulator::builder().faults(faults.clone())), faults)
}

#[test]
fn a_job_is_a_task_on_the_device_of_that_name() {
    let (server, faults) = server();
    push(&faults, &[(DEVICE, "LAPTOP-42")]);
    let args = ["isolate", "LAPTOP-42", OTHER, "--yes", "--wire", "rest", "-o", "json"];
    let task = server.run(&args).json::<CreateTaskResponse>().task.unwrap();
    assert_eq!(task.action.unwrap().name, "StartNetworkIsolation");
    assert_eq!(task.targets.unwrap().devices_uuids, [DEVICE, OTHER]);
    assert_eq!(task.display_name, "isolate 2 devices");
    let scan = ["scan", DEVICE, "--scan-profile", "smart", "--cleaning-enabled", "-o", "json"];
    let task = server.run(&scan).json::<CreateTaskResponse>().task.unwrap();
    let scan: OnDemandScan = task.action.unwrap().params.unwrap().unpack().unwrap();
    assert_eq!((scan.scan_profile, scan.cleaning_enabled), (Some(1), Some(true)));
    for (job, restart) in [("reboot", true), ("shutdown", false)] {
        let task = server.run(&[job, DEVICE, "-o", "json"]).json::<CreateTaskResponse>();
        let params = task.task.unwrap().action.unwrap().params.unwrap();
        assert_eq!(params.unpack::<ShutdownComputer>().unwrap().restart(), restart);
    }
}

#[test]
fn a_job_on_several_devices_wants_a_yes() {
    let server = Server::seeded();
    let count = || server.run(&["tasks", "list", "-o", "name"]).ok().lines().count();
    let before = count();
    for job in ["isolate", "unisolate", "shutdown", "reboot", "update"] {
        let error = server.run(&[job, DEVICE, OTHER]).fails(2);
        let question = format!("Start the job `{job}` on 2 devices? There is no terminal");
        assert!(error.contains(&question) && error.contains("--yes"), "{error}");
        let from = server.run_with(&[job, "-"], format!("{DEVICE}\n{OTHER}\n").as_bytes());
        assert!(from.fails(2).contains("--yes"));
    }
    assert_eq!(count(), before);
    // The same device twice is one.
    server.run(&["reboot", DEVICE, "REGISTER-01"]).ok();
    server.run(&["reboot", DEVICE, OTHER, "--yes"]).ok();
    assert_eq!(count(), before + 2);
    let none = server.run_with(&["isolate", "-"], b"\n");
    assert_eq!((none.code, &*none.err), (0, "no device is named, so there is nothing to do\n"));
}

#[test]
fn a_dry_run_sends_nothing() {
    let (server, faults) = server();
    push(&faults, &[(DEVICE, "LAPTOP-42")]);
    let line = "-c 'id'";
    let args =
        ["run", "LAPTOP-42", "--command-line", line, "--dry-run", "--wire", "rest", "--json"];
    let sent: serde_json::Value = server.run(&args).json();
    assert_eq!((&sent["method"], &sent["path"]), (&"POST".into(), &"/v1/device_tasks".into()));
    let request: CreateTaskRequest = serde_json::from_value(sent["request"].clone()).unwrap();
    let params = request.task.unwrap().action.unwrap().params.unwrap();
    assert_eq!(params.unpack::<RunCommand>().unwrap().command_line(), line);
    let tasks = server.run(&["tasks", "list", "-o", "json"]).json_lines::<DeviceTask>();
    assert_eq!(tasks, []);
}

#[test]
fn a_name_of_several_devices_or_none_is_not_guessed() {
    let (server, faults) = server();
    push(&faults, &[(DEVICE, "till"), (OTHER, "till")]);
    let error = server.run(&["reboot", "till", "--wire", "rest"]).fails(2);
    assert!(error.contains("\"till\": 2 devices have this name"), "{error}");
    for uuid in [DEVICE, OTHER] {
        assert!(error.contains(&format!("hint: one is till ({uuid}, 10.0.0.7)")), "{error}");
    }
    push(&faults, &[]);
    push(&faults, &[(DEVICE, "LAPTOP-42"), (OTHER, "server")]);
    let error = server.run(&["reboot", "LAPTOP-43", "--wire", "rest"]).fails(4);
    assert!(error.contains("\"LAPTOP-43\": no device has this name"), "{error}");
    assert!(error.contains(&format!("hint: did you mean LAPTOP-42 ({DEVICE}")), "{error}");
    assert!(!error.contains("server"), "{error}");
    // A server that ignores the filter makes no difference.
    push(&faults, &[(OTHER, "LAPTOP-4")]);
    push(&faults, &[]);
    server.run(&["reboot", "LAPTOP-42", "--wire", "rest"]).fails(4);
    let tasks = server.run(&["tasks", "list", "-o", "json"]).json_lines::<DeviceTask>();
    assert_eq!(tasks, []);
}

#[test]
fn a_device_may_be_given_by_its_name_wherever_one_is_meant() {
    let server = Server::seeded();
    let device = &["--device", "REGISTER-01"][..];
    for args in [
        &["devices", "rename", "REGISTER-01", "--display-name", "X"][..],
        &["tasks", "update-targets", OTHER, "--devices", "REGISTER-01"],
        &[&["tasks", "create", "--name", "x", "--action", "StartNetworkIsolation"], device]
            .concat(),
        &[&["assignments", "assign", "--policy", OTHER], device].concat(),
    ] {
        let dry: Value = server.run(&[args, &["--dry-run", "--json"]].concat()).json();
        let dry = dry.to_string();
        assert!(dry.contains(DEVICE) && !dry.contains("REGISTER"), "{dry}");
        let wrong =
            args.iter().map(|arg| if *arg == "REGISTER-01" { "J\u{fc}rgen's PC" } else { arg });
        let error = server.run(&wrong.collect::<Vec<_>>()).fails(4);
        assert!(error.contains("\"J\u{fc}rgen's PC\": no device has this name"), "{error}");
    }
    for uuids in [&["REGISTER-01"][..], &[DEVICE, "REGISTER-01"]] {
        let found = server.run(&[&["devices", "get", "-o", "name"], uuids].concat());
        assert_eq!(found.out, format!("{DEVICE}\n").repeat(uuids.len()).as_bytes());
    }
    let listed = server.run(&[&["patches", "list", "-o", "json"], device].concat()).ok();
    assert!(!listed.is_empty() && listed.lines().all(|line| line.contains(DEVICE)), "{listed}");
    let error = server.run(&["devices", "get", DEVICE, "REGISTR-01"]).fails(4);
    assert!(error.contains(&format!("hint: did you mean REGISTER-01 ({DEVICE}")), "{error}");
}

#[test]
fn files_may_name_devices_too() {
    let server = Server::seeded();
    let names = b"REGISTER-01\n\nREGISTER-02\nREGISTER-01\n";
    let found = server.run_with(&["devices", "get", "-", "-o", "name"], names);
    assert_eq!((found.code, found.out.split(|byte| *byte == b'\n').count()), (0, 3));
    let scan = ["scan", "-", "--dry-run", "--json"];
    let sent: Value = server.run_with(&scan, names).json();
    let targets = &sent["request"]["task"]["targets"]["devicesUuids"];
    assert_eq!((&targets[0], targets.as_array().unwrap().len()), (&DEVICE.into(), 2), "{sent}");

    let task = |name: &str| {
        let targets = format!(r#"{{"devicesUuids":["{name}","{DEVICE}"]}}"#);
        let action = r#"{"name":"StartNetworkIsolation"}"#;
        format!(
            r#"{{"displayName":"x","action":{action},"targets":{targets},"triggers":[{{"manual":{{}}}}]}}"#
        )
    };
    let rename = r#"{"deviceUuid":"REGISTER-01","displayName":"X"}"#;
    let rename_to = r#"{"displayName":"X"}"#;
    let many = [task("REGISTER-01"), task("REGISTER-02")].join("\n");
    for (args, input) in [
        (&["tasks", "create", "--file", "-"][..], &*task("REGISTER-01")),
        (&["tasks", "create", "--file", "-"], &*many),
        (&["devices", "rename", "--file", "-"], rename),
        (&["call", "Devices/RenameDevice", "-"], rename),
        (&["api", "POST", "/v1/devices/REGISTER-01:rename", "--data", "-"], rename_to),
    ] {
        let dry = [args, &["--dry-run", "--json"]].concat();
        let dry = server.run_with(&dry, input.as_bytes()).ok();
        assert!(dry.contains(DEVICE) && !dry.contains("REGISTER"), "{args:?}: {dry}");
    }
    // Of several that fit no device, each is reported, and nothing is sent.
    let wrong = [task("REGISTR-01"), task("REGISTER-01"), task("J\u{fc}rgen's PC")].join("\n");
    let error = server.run_with(&["tasks", "create", "--file", "-"], wrong.as_bytes()).fails(4);
    for expected in ["\"REGISTR-01\": no device", "\"J\u{fc}rgen's PC\": no device", DEVICE] {
        assert!(error.contains(expected), "{error}");
    }
    let tasks = server.run(&["tasks", "list", "-o", "json"]).ok();
    assert!(!tasks.contains("\"displayName\":\"x\""), "{tasks}");
}

#[test]
fn mistakes_are_named_before_anything_is_called() {
    for (args, expected) in [
        (&["isolate"][..], "<DEVICE>..."),
        (&["run", "x"], "error: --command-line: "),
        (&["kill", "x"], "error: --executable-hash-sha1: expected at least one hash"),
        (&["kill", "x", "--pid", "many"], "'many' for '--pid <NUMBER>': expected a number"),
        (&["scan", "x", "--scan-profile", "Deep"], "[possible values: InDepth, Smart"),
        (&["isolate", "x", "--wait-timeout", "1m"], "--wait-timeout: requires --wait"),
        (&["isolate", "x", "--expires", "2020-01-01T00:00:00Z"], "error: --expires: "),
        (&["isolat", "x"], "some similar subcommands exist: "),
    ] {
        let error = run(args, b"").fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    for job in ["isolate", "unisolate", "scan", "shutdown", "reboot", "run", "kill", "update"] {
        let help = run(&[job, "--help"], b"").ok();
        assert!(help.contains(&format!("Example:\n  eset-protect {job} LAPTOP-01")), "{help}");
    }
}
