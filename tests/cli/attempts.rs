//! `--max-attempts`: how many times a call is sent.

use eset_protect::emulator::{Emulator, Fault, Faults};
use tonic::Code;

use crate::command::{Server, command, run, run_command};

/// A failure that a second attempt fixes: over gRPC as a code, over REST as the status 503.
fn failing_once() -> (Server, Faults) {
    let faults = Faults::new();
    (Server::start(Emulator::builder().faults(faults.clone())), faults)
}

#[test]
fn two_attempts_succeed_where_one_fails() {
    let (server, faults) = failing_once();
    for wire in ["grpc", "rest"] {
        let list = ["tasks", "list", "--output", "json", "--wire", wire];
        faults.push(Fault::code(Code::Unavailable));
        assert_eq!(server.run(&[&list[..], &["--max-attempts", "2"]].concat()).ok(), "");
        assert_eq!(faults.waiting(), 0);

        faults.push(Fault::code(Code::Unavailable));
        let error = server.run(&[&list[..], &["--max-attempts", "1"]].concat()).fails(3);
        assert!(error.starts_with("error: ListTasks: UNAVAILABLE: "), "{error}");
        assert_eq!(error.contains("  HTTP 503"), wire == "rest", "{error}");
    }
}

#[test]
fn the_number_comes_from_the_environment_too() {
    let (server, faults) = failing_once();
    let list = |attempts: &str, args: &[&str]| {
        faults.push(Fault::code(Code::Unavailable));
        let mut command = server.command(&[&["tasks", "list"], args].concat());
        command.env("ESET_PROTECT_MAX_ATTEMPTS", attempts);
        run_command(command, b"")
    };
    list("2", &[]).ok();
    list("1", &[]).fails(3);
    // The flag takes precedence.
    list("1", &["--max-attempts", "2"]).ok();
    list("2", &["--max-attempts", "1"]).fails(3);
}

#[test]
fn wrong_numbers_are_usage_errors() {
    for number in ["0", "-1", "many", "4294967296", ""] {
        let flag = format!("--max-attempts={number}");
        let error = run(&["tasks", "list", &flag], b"").fails(2);
        assert!(error.starts_with("error: --max-attempts: expected "), "{number}: {error}");
    }
    let error = run(&["tasks", "list", "--max-attempts", "0"], b"").fails(2);
    assert!(
        error.contains("--max-attempts: expected a number from 1 to 4294967295, found \"0\""),
        "{error}"
    );
    let mut command = command(&["tasks", "list"]);
    command.env("ESET_PROTECT_MAX_ATTEMPTS", "0");
    let error = run_command(command, b"").fails(2);
    assert!(error.starts_with("error: ESET_PROTECT_MAX_ATTEMPTS: expected a number"), "{error}");
}
