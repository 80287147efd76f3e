//! `tasks wait`, `tasks create --wait` and `--guarded`, and the commands that change a task.

use std::time::Duration;

use eset_protect::Client;
use eset_protect::automation::v1::{
    Action, CreateTaskResponse, DeviceTask, DeviceTaskRun, DeviceTaskTargets, GetTaskResponse,
    TaskRunStatus, Trigger, trigger::Kind,
};
use eset_protect::emulator::{Builder, Device, Emulator, Fault, Faults, Outcome, Pace};
use tonic::Code;

use crate::command::{DEVICE, GROUP, Ran, Server, run, run_command, runtime};

const A: &str = "00000000-0000-4000-8000-00000000000a";
const B: &str = "00000000-0000-4000-8000-00000000000b";
const C: &str = "00000000-0000-4000-8000-00000000000c";
const BAD: &str = "00000000-0000-4000-8000-0000000000d0";
const QUIET: &str = "00000000-0000-4000-8000-0000000000d1";
const OFF: &str = "00000000-0000-4000-8000-0000000000d2";

/// Builds an emulator whose runs take a moment.
fn fast() -> Builder {
    let pace = Pace::new(Duration::from_millis(500), Duration::from_millis(50));
    Emulator::builder().pace(pace).device(Device::new(OFF).off()).outcome(
        |_, device| match device {
            BAD => Outcome::Failed,
            QUIET => Outcome::Suppressed,
            _ => Outcome::Finished,
        },
    )
}

const ISOLATE: [&str; 6] = ["tasks", "create", "--name", "x", "--action", "StartNetworkIsolation"];
const WAIT: [&str; 3] = ["--wait", "--poll-interval", "10ms"];

/// Creates a task for these devices and waits for it.
fn create_and_wait(server: &Server, args: &[&str]) -> Ran {
    server.run(&[&ISOLATE[..], &WAIT, args].concat())
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

/// Returns the lines without elapsed times such as `00:01`.
fn without_times(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.split_once("  ").expect("a time").1).collect()
}

#[test]
fn all_is_well() {
    for wire in ["grpc", "rest"] {
        let server = Server::start(fast());
        let ran = create_and_wait(&server, &["--device", A, "--device", B, "--wire", wire]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        // Standard error is not a terminal: a line for each change, and no bar.
        assert!(!ran.err.contains('\u{1b}') && !ran.err.contains('\r'), "{:?}", ran.err);
        let said = without_times(&ran.err);
        assert_eq!(said.first(), Some(&"0 of 2 devices done: 2 queued"), "{said:?}");
        assert_eq!(said.last(), Some(&"2 of 2 devices done: 2 finished"), "{said:?}");
        let out = String::from_utf8(ran.out).unwrap();
        // The task, then its runs.
        assert!(out.starts_with("uuid "), "{out}");
        let (_, runs) = out.split_once("STATUS ").unwrap();
        assert_eq!(runs.matches("FINISHED").count(), 2, "{out}");
    }
}

#[test]
fn the_table_names_the_devices_that_the_login_may_read() {
    let faults = Faults::new();
    let server = Server::start(fast().seed(true).faults(faults.clone()));
    let wait = |args: &[&str]| {
        let ran =
            create_and_wait(&server, &[&["--device", DEVICE, "--wire", "rest"], args].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        String::from_utf8(ran.out).unwrap().rsplit_once("STATUS").unwrap().1.to_owned()
    };
    let runs = wait(&[]);
    assert!(runs.contains("  REGISTER-01 ") && !runs.contains(DEVICE), "{runs}");
    assert!(wait(&["-o", "csv"]).contains(DEVICE));
    // One that is gone keeps its UUID, and the others have names.
    let runs = wait(&["--device", A]);
    assert!(runs.contains("  REGISTER-01 ") && runs.contains(A), "{runs}");
    // Without the right to read devices.
    for _ in ["the task", "the runs"] {
        faults.push_for("BatchGetDevices", Fault::code(Code::PermissionDenied));
    }
    assert!(wait(&[]).contains(DEVICE));
    assert_eq!(faults.waiting(), 0);
}

/// The time of one does not come out of another's.
#[test]
fn several_tasks_are_watched_at_once() {
    let server = Server::start(fast());
    let tasks = [OFF, A].map(|device| {
        let created = server.run(&[&ISOLATE[..], &["--device", device, "-o", "json"]].concat());
        created.json::<CreateTaskResponse>().task.unwrap().uuid
    });
    let wait = ["tasks", "wait", &tasks[0], &tasks[1], "--poll-interval", "10ms"];
    let ran = server.run(&[&wait[..], &["--wait-timeout", "2s", "-o", "json"]].concat());
    assert_eq!(ran.code, 6, "{}", ran.err);
    let run: DeviceTaskRun = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!((&*run.task_uuid, run.status()), (&*tasks[1], TaskRunStatus::Finished));
}

#[test]
fn runs_that_fail_have_an_exit_code_of_their_own() {
    let server = Server::start(fast());
    let devices = ["--device", A, "--device", BAD, "--device", QUIET];
    let ran = create_and_wait(&server, &devices);
    assert_eq!(ran.code, 9, "{}", ran.err);
    let said = ran.err.lines().last().unwrap();
    let expected = "error: the task did not succeed on 2 of 3 devices: 1 failed, 1 suppressed";
    assert_eq!(said, expected);
    let out = String::from_utf8(ran.out).unwrap();
    for status in ["FINISHED", "FAILED", "SUPPRESSED"] {
        assert_eq!(out.matches(status).count(), 1, "{status}: {out}");
    }
}

#[test]
fn json_is_the_task_and_then_a_line_for_each_run_that_has_ended() {
    let server = Server::start(fast());
    let args = ["--device", A, "--device", BAD, "--output", "json"];
    let ran = create_and_wait(&server, &args);
    assert_eq!(ran.code, 9, "{}", ran.err);
    let out = lines(&ran.out);
    let (first, runs) = out.split_first().unwrap();
    let created: CreateTaskResponse = serde_json::from_str(first).unwrap();
    let uuid = created.task.unwrap().uuid;
    let mut runs: Vec<DeviceTaskRun> =
        runs.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    runs.sort_by(|a, b| a.device_uuid.cmp(&b.device_uuid));
    let ended: Vec<_> = runs.iter().map(|run| (&*run.device_uuid, run.status())).collect();
    assert_eq!(ended, [(A, TaskRunStatus::Finished), (BAD, TaskRunStatus::Failed)]);
    assert!(runs.iter().all(|run| run.task_uuid == uuid));

    // Waiting again later: everything has already ended.
    let ran = server.run(&["tasks", "wait", &uuid, "--output", "json"]);
    assert_eq!((ran.code, lines(&ran.out).len()), (9, 2), "{}", ran.err);
}

#[test]
fn the_time_runs_out() {
    let server = Server::start(fast());
    let args = ["--device", A, "--device", OFF, "--wait-timeout", "2s"];
    let ran = create_and_wait(&server, &args);
    assert_eq!(ran.code, 6, "{}", ran.err);
    let said: Vec<_> = ran.err.lines().rev().take(2).collect();
    let expected = "error: the task is not done on 1 of 2 devices within 2s";
    assert_eq!(said[1], expected);
    assert!(
        said[0].starts_with("hint: the task goes on at the service: `eset-protect tasks wait ")
    );
    // Shows what is known anyway.
    let out = String::from_utf8(ran.out).unwrap();
    assert!(out.contains("FINISHED") && out.contains(&format!("NOT STARTED  {OFF}")), "{out}");
}

#[test]
fn a_task_that_expires_or_runs_nowhere() {
    let server = Server::start(fast());
    // The command itself never creates an expired one.
    let expired = |targets: DeviceTaskTargets| {
        let task = DeviceTask {
            action: Some(Action::start_network_isolation()),
            targets: Some(targets),
            triggers: vec![Trigger::manual("2020-01-01T00:00:00Z".parse().ok())],
            ..Default::default()
        };
        let created = runtime().block_on(async {
            let client = Client::connect(&server.endpoint).await.unwrap();
            client.device_tasks().create_task(task).await.unwrap()
        });
        created.uuid
    };
    let wait = |uuid: &str| server.run(&["tasks", "wait", uuid, "--poll-interval", "10ms"]);
    let ran = wait(&expired(DeviceTaskTargets::devices([A, OFF])));
    assert_eq!(ran.code, 9, "{}", ran.err);
    assert!(ran.err.ends_with("on 2 of 2 devices: 2 not started in time\n"), "{}", ran.err);
    let ran = wait(&expired(DeviceTaskTargets::groups([GROUP])));
    assert_eq!(ran.code, 9, "{}", ran.err);
    assert!(ran.err.ends_with("error: the task ran on no device\n"), "{}", ran.err);
}

#[test]
fn waiting_for_nothing() {
    let server = Server::empty();
    let error = server.run(&["tasks", "wait", "nothing"]).fails(4);
    assert!(error.starts_with("error: ListTaskRuns: NOT_FOUND: "), "{error}");
    for (args, expected) in [
        (&["tasks", "wait"][..], "<TASK>"),
        (&["tasks", "wait", "x", "--wait-timeout", "soon"], "such as 500ms, 30s, 2m or 1h"),
        (&["tasks", "wait", "x", "--wait-timeout", "10"], "'10' for '--wait-timeout <TIME>'"),
        (&["tasks", "wait", "x", "--wait-timeout", "0s"], "a time greater than zero"),
        (&["tasks", "wait", "x", "--wait-timeout", "8761h"], "at most 8760h"),
        (&["tasks", "wait", "x", "--poll-interval", "99999999999999999999h"], "--poll-interval"),
    ] {
        let error = run(args, b"").fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    let args = [&ISOLATE[..], &["--device", A, "--wait-timeout", "1m"]].concat();
    let error = run(&args, b"").fails(2);
    assert_eq!(error, "error: --wait-timeout: requires --wait\n");
}

/// On a terminal there is a bar, which disappears before the table.
#[cfg(target_os = "linux")]
#[test]
fn a_bar_where_there_is_script() {
    use std::process::Command;
    if Command::new("script").arg("--version").output().is_err() {
        return crate::support::skip::skipped("there is no `script`, and so no terminal");
    }
    let shown = |no_color: &str| {
        let server = Server::start(fast());
        let create = [&ISOLATE[..], &WAIT, &["--device", A, "--device", BAD]].concat();
        let line =
            format!("stty cols 100; {} {}", env!("CARGO_BIN_EXE_eset-protect"), create.join(" "));
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).env("ESET_PROTECT_ENDPOINT", &server.endpoint);
        command.env("TERM", "xterm-256color").env("NO_COLOR", no_color);
        let ran = run_command(command, b"");
        assert_eq!(ran.code, 9, "{}", ran.err);
        String::from_utf8(ran.out).unwrap()
    };
    let said = shown("");
    let (bar, table) = said.split_once("STATUS").unwrap();
    assert!(bar.contains("\u{2591}") && bar.contains("0 of 2 devices done: "), "{bar:?}");
    let cleared = "\r\u{1b}[2K";
    assert!(bar.trim_end_matches("\u{1b}[1m").ends_with(cleared), "{bar:?}");
    assert!(!table.contains("devices done"), "{table:?}");
    assert!(table.contains("on 1 of 2 devices: 1 failed"), "{table:?}");
    let plain = shown("1");
    assert!(!plain.contains("\u{1b}[3"), "no colour: {plain:?}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_waiting_and_not_the_task() {
    use std::io::{BufRead, BufReader};
    let server = Server::start(fast());
    let args = [&ISOLATE[..], &WAIT, &["--device", OFF]].concat();
    let mut command = server.command(&args);
    command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    // It is waiting.
    let first = said.next().unwrap().unwrap();
    assert!(first.ends_with("0 of 1 device done: 1 not started"), "{first}");
    let killed =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let rest: Vec<_> = said.map(Result::unwrap).collect();
    assert_eq!(rest[0], "error: stopped waiting");
    assert!(rest[1].starts_with("hint: the task goes on at the service: "), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let listed: Vec<DeviceTask> = server.run(&["tasks", "list", "--output", "json"]).json_lines();
    assert_eq!(listed.len(), 1);
}

/// As in `isolate LAPTOP-01 --wait -o name | head -1`.
#[cfg(unix)]
#[test]
fn waiting_ends_when_nobody_reads_any_more() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let server = Server::start(fast());
    let off = ["--device", OFF, "-o", "name", "--wait-timeout", "20s"];
    let mut command = server.command(&[&ISOLATE[..], &WAIT, &off].concat());
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut task = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut task).unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 130, "{}", ran.err);
    assert!(
        ran.err.contains("error: stopped waiting: nobody reads standard output"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains(&format!("tasks wait {}", task.trim())), "{}", ran.err);
}

#[test]
fn a_guarded_create_finds_what_was_made() {
    for wire in ["grpc", "rest"] {
        let faults = Faults::new();
        let server = Server::start(fast().faults(faults.clone()));
        faults.push_for("CreateTask", Fault::code(Code::Unavailable).after_the_call());
        let args = ["--guarded", "--device", A, "--output", "json", "--wire", wire];
        let ran = server.run(&[&ISOLATE[..], &args].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let found: CreateTaskResponse = serde_json::from_str(&lines(&ran.out)[0]).unwrap();
        let found = found.task.unwrap();
        let expected = format!(
            "The response was lost; the task was found as {} and not created again.\n",
            found.uuid
        );
        assert_eq!(ran.err, expected);
        let listed: Vec<DeviceTask> =
            server.run(&["tasks", "list", "--output", "json"]).json_lines();
        assert_eq!(listed, [found]);

        // Without the option there is no look; the hint says what to do.
        faults.push_for("CreateTask", Fault::code(Code::Unavailable).after_the_call());
        let error = server.run(&[&ISOLATE[..], &["--device", A]].concat()).fails(3);
        assert!(error.contains("it may have been done anyway"), "{error}");
    }
}

#[test]
fn targets_and_triggers_are_replaced() {
    let server = Server::start(fast());
    let args = [&ISOLATE[..], &["--device", A, "--output", "json"]].concat();
    let uuid = server.run(&args).json::<CreateTaskResponse>().task.unwrap().uuid;
    let get = || -> DeviceTask {
        let got: GetTaskResponse = server.run(&["tasks", "get", &uuid, "--output", "json"]).json();
        got.task.unwrap()
    };
    let targets = ["--devices", B, "--devices", C, "--device-groups", GROUP];
    let said = server.run(&[&["tasks", "update-targets", &uuid], &targets[..]].concat()).ok();
    assert_eq!(said, format!("Updated the task {uuid}.\n"));
    let targets = get().targets.unwrap();
    assert_eq!(targets.devices_uuids, [B, C]);
    assert_eq!(targets.device_groups_uuids, [GROUP]);

    let at_2040 = r#"{"manual":{"expireTime":"2040-01-01T00:00:00Z"}}"#;
    let args = ["tasks", "update-triggers", &uuid, "--triggers", at_2040];
    let said = server.run(&[&args[..], &["--output", "json"]].concat()).ok();
    assert_eq!(said, "{}\n");
    let triggers = get().triggers;
    let [trigger] = triggers.as_slice() else { panic!("{triggers:?}") };
    let Some(Kind::Manual(manual)) = &trigger.kind else { panic!("no manual trigger") };
    assert_eq!(manual.expire_time.unwrap().to_string(), "2040-01-01T00:00:00Z");

    let error = run(&["tasks", "update-targets", "x"], b"").fails(2);
    assert!(error.contains("error: --devices, --device-groups: expected a value"), "{error}");
    let args = ["tasks", "update-triggers", "nothing", "--triggers", at_2040];
    server.run(&args).fails(4);
}

#[test]
fn the_exit_codes_are_told() {
    let help = run_command(crate::command::command(&["--help"]), b"").ok();
    assert!(help.contains("\n  9  the task did not succeed"), "{help}");
    assert!(help.contains("\n130  stopped by Ctrl-C"), "{help}");
}
