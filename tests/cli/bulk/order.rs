//! The order in which responses are printed, and the progress shown meanwhile.

use std::process::{Command, Stdio};

use eset_protect::automation::v1::GetTaskResponse;
use eset_protect::emulator::{Fault, Faults};

use super::{WIRES, faulty, fine, lines, listed, tasks};
use crate::command::{Ran, Server, runtime};

/// Runs a command that makes three calls of `GetTask`, two at a time. The first response arrives after the second.
fn run_with_a_late_first(faults: &Faults, mut command: Command) -> Ran {
    let (first, mut held_first) = Fault::hold();
    let (third, mut held_third) = Fault::hold();
    for fault in [first, fine(), third] {
        faults.push_for("GetTask", fault);
    }
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The third can start only when one of the first two has its response.
    runtime().block_on(async {
        held_first.arrived(1).await;
        held_third.arrived(1).await;
    });
    held_third.release();
    held_first.release();
    child.wait_with_output().unwrap().into()
}

#[test]
fn answers_come_in_the_order_given() {
    for wire in WIRES {
        let (server, faults) = faulty();
        let uuids = tasks(&server, 3);
        let args = ["tasks", "get", &uuids[0], &uuids[1], &uuids[2], "--output", "json"];
        let command = server.command(&[&args, wire, &["--concurrency", "2"]].concat());
        let ran = run_with_a_late_first(&faults, command);
        assert_eq!((ran.code, &*ran.err), (0, "3 shown\n"));
        let got: Vec<_> = lines(&ran)
            .iter()
            .map(|line| serde_json::from_str::<GetTaskResponse>(line).unwrap().task.unwrap().uuid)
            .collect();
        assert_eq!(got, uuids);
    }
}

#[test]
fn errors_come_in_the_order_given() {
    let (server, faults) = faulty();
    let args = ["tasks", "get", "one", "two", "three", "--concurrency", "2"];
    let ran = run_with_a_late_first(&faults, server.command(&args));
    let said: Vec<_> = ran.err.lines().map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(said[..3], [Some("one"), Some("two"), Some("three")], "{}", ran.err);
}

#[test]
fn a_table_is_in_the_order_given_too() {
    let server = Server::empty();
    let mut uuids = tasks(&server, 30);
    uuids.reverse();
    let ran = server.run_with(&["tasks", "get", "-"], uuids.join("\n").as_bytes());
    assert_eq!((ran.code, &*ran.err), (0, "30 shown\n"));
    let table = lines(&ran);
    assert!(table[0].starts_with("UUID "), "{table:?}");
    let first: Vec<_> = table[1..].iter().map(|line| &line[..36]).collect();
    assert_eq!(first, uuids);
}

/// `… | head -1` must not silently leave the work half done.
#[test]
fn a_reader_that_goes_away_does_not_stop_what_changes_something() {
    let server = Server::empty();
    let uuids = tasks(&server, 50);
    let mut command = server.command(&[&["tasks", "delete", "--yes"][..], &refs(&uuids)].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!((ran.code, &*ran.err), (0, "50 deleted\n"));
    assert_eq!(listed(&server), []);
}

fn refs(uuids: &[String]) -> Vec<&str> {
    uuids.iter().map(String::as_str).collect()
}

/// On a terminal, a bar appears after a moment and disappears before the rest is printed.
#[cfg(target_os = "linux")]
#[test]
fn a_bar_where_there_is_script() {
    use std::process::Command;
    if Command::new("script").arg("--version").output().is_err() {
        return crate::support::skip::skipped("there is no `script`, and so no terminal");
    }
    let (server, faults) = faulty();
    let shown = |args: &str| {
        let line = format!("stty cols 100; {} {args}", env!("CARGO_BIN_EXE_eset-protect"));
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).env("ESET_PROTECT_ENDPOINT", &server.endpoint);
        command.env("TERM", "xterm-256color").env("ESET_PROTECT_MAX_ATTEMPTS", "1");
        let ran = crate::command::run_command(command, b"");
        assert_eq!(ran.code, 4, "{}", ran.err);
        String::from_utf8(ran.out).unwrap()
    };
    // Slow enough for the bar: two calls per second.
    let slow = shown("tasks delete a b c d e --yes --rate 2");
    assert!(slow.contains('\u{2591}') && slow.contains(" of 5"), "{slow:?}");
    let end = slow.rsplit_once("\r\u{1b}[2K").unwrap().1;
    assert!(!end.contains('\u{2591}'), "{slow:?}");
    assert!(end.contains("0 deleted, 5 failed"), "{slow:?}");
    faults.clear();
    let fast = shown("tasks delete a b c --yes");
    assert!(!fast.contains('\u{2591}') && fast.contains("0 deleted, 3 failed"), "{fast:?}");
}
