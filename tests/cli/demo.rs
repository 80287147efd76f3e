//! `eset-protect demo`.

use crate::command::run;

#[test]
fn it_shows_what_it_promises() {
    let out = run(&["demo"], b"").ok();
    for fact in [
        "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan",
        "google.protobuf.Any, 23 bytes of",
        "scan_profile: Some(InDepth)",
        "\"scanProfile\": \"InDepth\"",
        "\"scanBudget\": {\"files\":12345678901234567890",
        "JSON → gRPC → JSON gives the same text",
        "type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData",
        "apply_forcefully: true, read_only: true",
        "1 after UpdatePolicyAssignmentRanking",
        "eset-protect emulator --seed",
    ] {
        assert!(out.contains(fact), "{fact} is missing in:\n{out}");
    }
    let place = |text: &str| out.find(text).expect(text);
    assert!(place("QUEUED") < place("RUNNING") && place("RUNNING") < place("FINISHED"));
}

#[test]
fn it_is_the_same_every_time_and_plain_in_a_pipe() {
    let without_port = |out: String| {
        let lines = out.lines().filter(|line| !line.contains("http://127.0.0.1:"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let out = run(&["demo"], b"").ok();
    assert!(!out.contains('\x1b'));
    assert_eq!(without_port(out), without_port(run(&["demo"], b"").ok()));
}

/// The commands that it suggests must work.
#[test]
fn its_suggestions_are_commands() {
    let server = crate::command::Server::seeded();
    let out = run(&["demo"], b"").ok();
    let commands = out.lines().filter_map(|line| line.strip_prefix("  eset-protect "));
    let mut tried = 0;
    for command in commands {
        let command = command.split('#').next().unwrap();
        let args: Vec<_> = command.split_whitespace().collect();
        if args.first() != Some(&"emulator") {
            assert!(!server.run(&args).ok().is_empty(), "{command}");
            tried += 1;
        }
    }
    assert_eq!(tried, 3);
}
