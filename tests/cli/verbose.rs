//! Logging to standard error on request.

use eset_protect::emulator::{Emulator, Fault, Faults};
use tonic::Code;

use crate::command::{Server, run_command};

#[test]
fn it_is_silent_unless_asked() {
    let server = Server::seeded();
    let quiet = run_command(server.command(&["tasks", "list"]), b"");
    assert_eq!(quiet.err, "");
    // The variable may be set but empty.
    let mut command = server.command(&["tasks", "list"]);
    command.env("ESET_PROTECT_LOG", "");
    assert_eq!(run_command(command, b"").err, "");
}

#[test]
fn each_v_tells_more_and_nothing_of_it_is_in_the_output() {
    let server = Server::seeded();
    let quiet = run_command(server.command(&["tasks", "list", "--wire", "auto"]), b"").ok();
    let mut lengths = Vec::new();
    for flag in ["-v", "-vv", "-vvv"] {
        let ran = run_command(server.command(&[flag, "tasks", "list", "--wire", "auto"]), b"");
        assert_eq!((ran.code, String::from_utf8(ran.out).unwrap()), (0, quiet.clone()));
        assert!(
            ran.err.contains("eset_protect::wire: chose the wire wire=\"gRPC\""),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains('\x1b'), "colours are for terminals: {}", ran.err);
        assert_eq!(ran.err.contains("DEBUG h2::") || ran.err.contains("h2::client"), flag != "-v");
        assert_eq!(ran.err.contains("TRACE"), flag == "-vvv");
        lengths.push(ran.err.len());
    }
    assert!(lengths.is_sorted(), "{lengths:?}");
}

#[test]
fn a_filter_comes_from_the_environment_and_a_flag_goes_before_it() {
    let server = Server::seeded();
    let list = ["tasks", "list", "--wire", "auto"];
    let mut command = server.command(&list);
    command.env("ESET_PROTECT_LOG", "off,eset_protect::wire=info");
    let ran = run_command(command, b"");
    assert_eq!((ran.code, ran.err.lines().count()), (0, 1), "{}", ran.err);

    let mut command = server.command(&[&list[..], &["-v"]].concat());
    command.env("ESET_PROTECT_LOG", "off");
    assert!(run_command(command, b"").err.contains("chose the wire"));

    let mut command = server.command(&list);
    command.env("ESET_PROTECT_LOG", "eset_protect=loud");
    let said = run_command(command, b"").fails(2);
    assert!(said.starts_with("error: ESET_PROTECT_LOG: expected a filter"), "{said}");
}

/// The RPC, code, time and attempts on one readable line.
#[test]
fn each_call_has_a_line() {
    let faults = Faults::new();
    let server = Server::start(Emulator::builder().seed(true).faults(faults.clone()));
    for wire in ["grpc", "rest"] {
        let said = |args: &[&str]| {
            let args = [&["-v", "--wire", wire], args].concat();
            let ran = run_command(server.command(&[&["tasks"], &args[..]].concat()), b"");
            ran.err.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let calls = |lines: &[String]| -> Vec<String> {
            let calls =
                lines.iter().filter(|line| line.contains(" in ") && line.contains("attempt"));
            // Without the time of day and milliseconds.
            calls.map(|line| line.split_once("  INFO ").unwrap().1.to_owned()).collect()
        };
        let lines = said(&["list", "--page-size", "100"]);
        let seen = calls(&lines);
        assert_eq!(seen.len(), 4, "a line a page: {lines:?}");
        for line in seen {
            assert!(line.starts_with("ListTasks: eset_protect::call: OK in "), "{line}");
            assert!(line.contains(" ms, 1 attempt, request-id "), "{line}");
        }

        faults.push(Fault::code(Code::Unavailable));
        let lines = said(&["get", "gone", "--max-attempts", "2"]);
        let seen = calls(&lines);
        assert_eq!(seen.len(), 1, "{lines:?}");
        assert!(seen[0].starts_with("GetTask: eset_protect::call: NOT_FOUND in "), "{seen:?}");
        assert!(seen[0].contains(", 2 attempts, request-id "), "{seen:?}");
        let retry = lines.iter().find(|line| line.contains("trying again")).unwrap();
        assert!(
            retry.contains(" INFO GetTask: eset_protect::call: trying again reason="),
            "{retry}"
        );
        assert!(lines.iter().all(|line| line.len() < 200), "{lines:?}");
    }
}
