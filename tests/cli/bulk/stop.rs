//! Ctrl-C during many calls.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use eset_protect::emulator::{Fault, Hold};
use tonic::Code;

use super::{WIRES, faulty, listed, requests};
use crate::command::{Server, runtime};
use crate::support::directory::Directory;

/// Starts a create of four tasks, one after the other, of which the first waits at the service.
fn held(
    server: &Server,
    wire: &[&str],
    held: &mut Hold,
    directory: &Directory,
) -> (Child, PathBuf) {
    let (file, failed) = (directory.join("tasks"), directory.join("failed"));
    std::fs::write(&file, requests(4)).unwrap();
    let args = ["tasks", "create", "--file", file.to_str().unwrap(), "--concurrency", "1"];
    let mut command =
        server.command(&[&args, wire, &["--failed", failed.to_str().unwrap()]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    runtime().block_on(held.arrived(1));
    (child, failed)
}

fn interrupt(child: &Child) {
    signal(child, "-INT");
}

fn signal(child: &Child, signal: &str) {
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
}

/// A shell and the kernel may both send SIGHUP. Where the tests run under nohup, so does the command.
#[test]
#[cfg(target_os = "linux")]
fn a_closed_terminal_stops_no_call_under_way() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    if u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 1 {
        return;
    }
    let (server, faults) = faulty();
    let (fault, mut hold) = Fault::hold();
    faults.push_for("CreateTask", fault);
    let directory = Directory::new();
    let (mut child, failed) = held(&server, WIRES[0], &mut hold, &directory);
    signal(&child, "-HUP");
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.next().unwrap().unwrap().starts_with("stopping; "));
    signal(&child, "-HUP");
    hold.release();
    let rest: Vec<_> = said.map(Result::unwrap).collect();
    assert_eq!(rest, ["1 created, 3 not begun"]);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(listed(&server).len(), 1);
    let left: Vec<_> = std::fs::read_to_string(failed).unwrap().lines().map(name).collect();
    assert_eq!(left, ["Bulk 1", "Bulk 2", "Bulk 3"]);
}

#[test]
#[cfg(target_os = "linux")]
fn nohup_protects_from_a_closed_terminal() {
    let (server, faults) = faulty();
    let (fault, mut hold) = Fault::hold();
    faults.push_for("CreateTask", fault);
    let directory = Directory::new();
    let file = directory.join("tasks");
    std::fs::write(&file, requests(4)).unwrap();
    let plain = server.command(&["tasks", "create", "--file", file.to_str().unwrap()]);
    let mut command = Command::new("nohup");
    command.arg(plain.get_program()).args(plain.get_args()).args(["--concurrency", "1"]);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    runtime().block_on(hold.arrived(1));
    signal(&child, "-HUP");
    hold.release();
    assert!(child.wait().unwrap().success());
    assert_eq!(listed(&server).len(), 4);
}

#[test]
fn what_is_under_way_comes_to_its_end() {
    for wire in WIRES {
        let (server, faults) = faulty();
        let (fault, mut hold) = Fault::hold();
        faults.push_for("CreateTask", fault);
        let directory = Directory::new();
        let (mut child, failed) = held(&server, wire, &mut hold, &directory);
        interrupt(&child);
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(said.next().unwrap().unwrap().starts_with("stopping; press Ctrl-C again"));
        hold.release();
        let rest: Vec<_> = said.map(Result::unwrap).collect();
        assert_eq!(rest, ["1 created, 3 not begun"]);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(listed(&server).len(), 1);
        // Items that did not start can be retried.
        let left: Vec<_> = std::fs::read_to_string(failed).unwrap().lines().map(name).collect();
        assert_eq!(left, ["Bulk 1", "Bulk 2", "Bulk 3"]);
    }
}

#[test]
fn the_second_time_nobody_waits() {
    for wire in WIRES {
        let (server, faults) = faulty();
        let (fault, mut hold) = Fault::hold();
        faults.push_for("CreateTask", fault);
        let directory = Directory::new();
        let (mut child, failed) = held(&server, wire, &mut hold, &directory);
        interrupt(&child);
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        interrupt(&child);
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        let rest: Vec<_> = rest.lines().collect();
        assert_eq!(
            rest,
            [
                "error: line 1, \"Bulk 0\": stopped while it was under way; it may have been done \
                 anyway",
                "0 created, 1 stopped under way, 3 not begun",
            ]
        );
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let left = std::fs::read_to_string(failed).unwrap();
        assert_eq!(left.lines().map(name).collect::<Vec<_>>(), ["Bulk 1", "Bulk 2", "Bulk 3"]);
    }
}

/// A crash leaves no time to write what failed until then.
#[test]
fn what_failed_is_in_the_file_at_once() {
    let (server, faults) = faulty();
    let (fault, mut hold) = Fault::hold();
    faults.push_for("CreateTask", Fault::code(Code::PermissionDenied));
    faults.push_for("CreateTask", fault);
    let directory = Directory::new();
    let (mut child, failed) = held(&server, WIRES[0], &mut hold, &directory);
    let mut said = BufReader::new(child.stderr.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    let left = std::fs::read_to_string(failed).unwrap();
    assert_eq!(left.lines().map(name).collect::<Vec<_>>(), ["Bulk 0"]);
}

fn name(line: &str) -> String {
    use eset_protect::automation::v1::CreateTaskRequest;
    serde_json::from_str::<CreateTaskRequest>(line).unwrap().task.unwrap().display_name
}
