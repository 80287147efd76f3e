//! Standard output and standard error without a reader.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use eset_protect::automation::v1::CreateTaskResponse;
use eset_protect::emulator::{Emulator, Fault, Pace};

use crate::bulk::{WIRES, faulty, fine, listed, requests};
use crate::command::{DEVICE, Ran, Server, runtime};
use crate::support::directory::Directory;

/// Far longer than anything here takes, to end tests that would hang.
const LONG: Duration = Duration::from_secs(60);

/// Waits for the end of a command whose standard error is not read.
fn ended(mut child: Child) -> (i32, String) {
    let mut stdout = child.stdout.take().unwrap();
    let (send, receive) = mpsc::channel();
    let pid = child.id();
    std::thread::spawn(move || {
        let mut out = String::new();
        stdout.read_to_string(&mut out).unwrap();
        let code = child.wait().unwrap().code().unwrap_or(-1);
        drop(send.send((code, out)));
    });
    receive.recv_timeout(LONG).unwrap_or_else(|_| {
        drop(Command::new("kill").args(["-KILL", &pid.to_string()]).status());
        panic!("it hangs")
    })
}

/// The ways in which standard error is not read.
const UNREAD: [&str; 3] = ["closed", "full", "not read"];

/// Runs a command whose standard error is not read.
fn unread(mut command: Command, way: &str) -> (i32, String) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if way == "full" {
        if !cfg!(target_os = "linux") {
            command.stderr(Stdio::null());
        } else {
            command.stderr(OpenOptions::new().write(true).open("/dev/full").unwrap());
        }
    }
    let mut child = command.spawn().unwrap();
    let stderr = child.stderr.take();
    if way == "closed" {
        drop(stderr);
        return ended(child);
    }
    let ended = ended(child);
    drop(stderr);
    ended
}

#[test]
fn a_log_that_nobody_reads_changes_nothing() {
    let server = Server::seeded();
    for wire in WIRES {
        let list = [&["tasks", "list", "--output", "json", "--page-size", "5"], wire].concat();
        let expected = server.run(&list).ok();
        for way in UNREAD {
            for verbose in ["-v", "-vvv"] {
                let ran = unread(server.command(&[&[verbose], &list[..]].concat()), way);
                assert_eq!(ran, (0, expected.clone()), "{way}, {verbose}, {wire:?}");
            }
        }
    }
}

#[test]
fn errors_that_nobody_reads_keep_their_codes() {
    let server = Server::seeded();
    let many: Vec<_> = (0..2000).map(|number| format!("gone-{number}")).collect();
    let many: Vec<_> =
        ["tasks", "delete", "--yes"].into_iter().chain(many.iter().map(|s| &**s)).collect();
    for (args, code) in [
        (&["tasks", "get", "gone"][..], 4),
        (&["tasks", "get", "gone", "-vvv"], 4),
        (&many, 4),
        (&["tasks", "list", "--wire", "smoke"], 2),
    ] {
        for way in ["closed", "full"] {
            assert_eq!(unread(server.command(args), way), (code, String::new()), "{way}");
        }
    }
}

/// Fails to delete 2,001 tasks. Nobody reads standard error before the last call has arrived.
fn delete_unread(options: &[&str]) -> Ran {
    let (server, faults) = faulty();
    let gone: Vec<_> = (0..2000).map(|number| format!("gone-{number}")).collect();
    let (fault, mut hold) = Fault::hold();
    (0..2000).for_each(|_| faults.push_for("DeleteTask", fine()));
    faults.push_for("DeleteTask", fault);
    let gone: Vec<_> = gone.iter().map(|uuid| &**uuid).collect();
    let args = [&["tasks", "delete", "--yes"], options, &gone, &["last"]].concat();
    let mut command = server.command(&args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Every call arrives, although no line is read.
    let arrived = async { tokio::time::timeout(LONG, hold.arrived(1)).await };
    runtime().block_on(arrived).expect("the calls wait for a reader");
    hold.release();
    child.wait_with_output().unwrap().into()
}

/// A pipe holds only some of two thousand errors. The calls do not wait for a reader; the others are printed
/// when there is one.
#[test]
fn calls_do_not_wait_for_a_reader_of_errors() {
    let ran = delete_unread(&[]);
    assert_eq!(ran.code, 4);
    assert_eq!(ran.err.matches(": DeleteTask: NOT_FOUND: ").count(), 2001);
    assert!(ran.err.contains("\n0 deleted, 2001 failed\n"), "{}", ran.err);
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_printed_is_an_error() {
    for args in [&["--help"][..], &["tasks", "create", "-h"], &["--version"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = crate::command::command(args).stdout(full).output().unwrap();
        let ran = Ran::from(output);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(ran.err.starts_with("error: standard output: "), "{}", ran.err);
    }
}

/// Nothing else records what was created.
#[test]
fn what_was_created_is_said_where_it_cannot_be_printed() {
    for (wire, format) in [(WIRES[0], "json"), (WIRES[1], "json"), (WIRES[0], "table")] {
        let server = Server::empty();
        let file = crate::support::directory::Directory::new();
        let path = file.join("tasks");
        std::fs::write(&path, requests(50)).unwrap();
        let args = ["tasks", "create", "--output", format, "--file", path.to_str().unwrap()];
        let mut command = server.command(&[&args, wire].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!(ran.code, 1, "{}", ran.err);
        let created = listed(&server);
        assert_eq!(created.len(), 50);
        for task in created {
            assert!(ran.err.contains(&task.uuid), "{} is lost: {}", task.uuid, ran.err);
        }
        let end =
            "error: standard output: nobody reads it any more; what was created is named above\n";
        assert!(ran.err.contains("\n50 created\n") || ran.err.ends_with(end), "{}", ran.err);
    }
}

/// `… | head -1`: everything unread is reported.
#[test]
fn a_reader_of_one_line_loses_nothing() {
    let (server, faults) = faulty();
    let (fault, mut hold) = Fault::hold();
    for fault in [fine(), fault] {
        faults.push_for("CreateTask", fault);
    }
    let file = crate::support::directory::Directory::new();
    let path = file.join("tasks");
    std::fs::write(&path, requests(3)).unwrap();
    let args = ["tasks", "create", "--output", "json", "--concurrency", "1", "--file"];
    let mut command = server.command(&[&args[..], &[path.to_str().unwrap()]].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    drop(reader);
    runtime().block_on(hold.arrived(1));
    hold.release();
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 1, "{}", ran.err);
    let first = serde_json::from_str::<CreateTaskResponse>(&first).unwrap().task.unwrap();
    assert_eq!(first.display_name, "Bulk 0");
    let created = listed(&server);
    assert_eq!(created.len(), 3);
    for task in created {
        let said = format!("{} (line ", task.uuid);
        assert!(ran.err.contains(&said), "{said} is lost: {}", ran.err);
    }
}

#[test]
fn one_that_was_created_is_said_too() {
    let server = Server::empty();
    let directory = Directory::new();
    let file = directory.join("policy.json");
    std::fs::write(&file, r#"{"policy":{"displayName":"x"}}"#).unwrap();
    let policy = ["policies", "create", "--file", file.to_str().unwrap()];
    let task = ["tasks", "create", "--name", "x", "--action", "StopManaging", "--device", DEVICE];
    for (args, noun) in [(&task[..], "task"), (&policy, "policy")] {
        for format in ["json", "table"] {
            let mut command = server.command(&[args, &["--output", format]].concat());
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            drop(child.stdout.take());
            let ran: Ran = child.wait_with_output().unwrap().into();
            assert_eq!(ran.code, 1, "{}", ran.err);
            let (said, rest) = ran.err.split_once('\n').unwrap();
            let uuid = said.strip_prefix(&format!("created, but not printed: the {noun} "));
            let get = if noun == "task" { "tasks" } else { "policies" };
            assert!(server.run(&[get, "get", uuid.unwrap()]).ok().contains(uuid.unwrap()));
            assert!(rest.starts_with("error: standard output: nobody reads it any more"), "{rest}");
        }
    }
}

/// The exit code of `wait` reports how the task ended, and it has not ended.
#[test]
fn waiting_for_nobody_is_not_success() {
    let pace = Pace::new(Duration::from_millis(100), Duration::from_millis(10));
    let server = Server::start(Emulator::builder().pace(pace));
    server.run_with(&["tasks", "create", "--file", "-"], requests(1).as_bytes()).ok();
    let uuid = listed(&server).pop().unwrap().uuid;
    let wait = ["tasks", "wait", &uuid, "--output", "json", "--poll-interval", "10ms"];
    let mut command = server.command(&wait);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 130, "{}", ran.err);
    assert!(
        ran.err.contains("error: stopped waiting: nobody reads standard output"),
        "{}",
        ran.err
    );
}

/// Only the last lines before a reader comes are lost, and it is told how many.
#[test]
fn a_log_without_a_reader_is_bounded() {
    let ran = delete_unread(&["-vvv"]);
    assert!(ran.err.contains(" lines of the log were dropped: no reader …\n"));
    assert!(ran.err.contains("\n0 deleted, 2001 failed\n"));
}
