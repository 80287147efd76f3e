//! Several items at once: `get`, `delete`, `unassign` and `create --file`.

mod create;
mod order;
mod stop;

use eset_protect::automation::v1::{DeviceTask, GetTaskResponse};
use eset_protect::emulator::{Emulator, Fault, Faults};
use eset_protect::policy_management::v2::{Policy, PolicyAssignment};
use tonic::Code;

use crate::command::{DEVICE, Ran, Server, run};
use crate::support::directory::Directory;

pub const WIRES: [&[&str]; 2] = [&["--wire", "grpc"], &["--wire", "rest"]];

/// Returns this number of requests, one per line.
pub fn requests(number: usize) -> String {
    let request = |number| {
        format!(
            r#"{{"task":{{"displayName":"Bulk {number}","action":{{"name":"StopManaging"}},"targets":{{"devicesUuids":["{DEVICE}"]}},"triggers":[{{"manual":{{}}}}]}}}}"#
        )
    };
    (0..number).map(|number| request(number) + "\n").collect()
}

/// Creates this number of tasks and returns their UUIDs.
pub fn tasks(server: &Server, number: usize) -> Vec<String> {
    let ran = server.run_with(&["tasks", "create", "--file", "-"], requests(number).as_bytes());
    assert_eq!((ran.code, ran.err), (0, format!("{number} created\n")));
    listed(server).into_iter().map(|task| task.uuid).collect()
}

pub fn listed(server: &Server) -> Vec<DeviceTask> {
    server.run(&["tasks", "list", "--output", "json"]).json_lines()
}

pub fn lines(ran: &Ran) -> Vec<String> {
    String::from_utf8(ran.out.clone()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn many_are_deleted_in_one_go() {
    let directory = Directory::new();
    let path = directory.join("uuids");
    for wire in WIRES {
        let server = Server::empty();
        for way in ["arguments", "-", "--from -", "--from FILE"] {
            let uuids = tasks(&server, 20);
            let given = format!("\u{feff}{}\r\n\n  {}\n", uuids.join("\r\n"), uuids[0]);
            std::fs::write(&path, &given).unwrap();
            let what: Vec<&str> = match way {
                "arguments" => uuids.iter().map(String::as_str).collect(),
                "-" => vec!["-"],
                "--from -" => vec!["--from", "-"],
                _ => vec!["--from", path.to_str().unwrap()],
            };
            let args = [&["tasks", "delete", "--yes"], &what[..], wire].concat();
            let ran = server.run_with(&args, given.as_bytes());
            assert_eq!((ran.code, &*ran.err), (0, "20 deleted\n"), "{way}");
            let expected: Vec<_> =
                uuids.iter().map(|uuid| format!("Deleted the task {uuid}.")).collect();
            assert_eq!(lines(&ran), expected, "{way}");
            assert_eq!(listed(&server), []);
        }
    }
}

#[test]
fn a_delete_whose_response_is_lost_succeeds() {
    for wire in WIRES {
        let (server, faults) = faulty();
        let uuids = tasks(&server, 4);
        let lost = || match wire[1] {
            "rest" => Fault::break_before_headers().after_the_call(),
            _ => Fault::code(Code::Unavailable).after_the_call(),
        };
        faults.push_for("DeleteTask", lost());
        let attempts = [wire, &["--max-attempts", "5"]].concat();
        let one = server.run(&[&["tasks", "delete", &uuids[0]], &attempts[..]].concat()).ok();
        assert_eq!(one, format!("Deleted the task {}.\n", uuids[0]));
        (0..3).for_each(|_| faults.push_for("DeleteTask", lost()));
        let others = ["tasks", "delete", "-y", &uuids[1], &uuids[2], &uuids[3]];
        let ran = server.run(&[&others, &attempts[..]].concat());
        assert_eq!((ran.code, &*ran.err), (0, "3 deleted\n"));
        assert_eq!((listed(&server), faults.waiting()), (vec![], 0));
        // It was not there before either, and nothing was lost.
        server.run(&[&["tasks", "delete", &uuids[0]], &attempts[..]].concat()).fails(4);
        // Without another attempt nobody knows.
        let uuid = &tasks(&server, 2)[0];
        faults.push_for("DeleteTask", lost());
        let error = server.run(&[&["tasks", "delete", uuid], wire].concat()).fails(3);
        assert!(
            error.contains("hint: it may have been done anyway, and can be repeated\n"),
            "{error}"
        );
    }
}

/// A device cannot be replaced, and gets the lines as they come.
#[cfg(unix)]
#[test]
fn what_failed_goes_to_a_device() {
    let server = Server::empty();
    let ran = server.run(&["tasks", "get", "gone", "away", "--failed", "/dev/stdout"]);
    // In the order in which the calls end.
    let mut failed = lines(&ran);
    failed.sort();
    assert_eq!((ran.code, failed), (4, vec!["away".to_owned(), "gone".to_owned()]));
}

#[test]
fn where_all_fail_there_is_no_table() {
    let server = Server::empty();
    let ran = server.run(&["tasks", "get", "gone", "away"]);
    assert_eq!((ran.code, lines(&ran)), (4, Vec::<String>::new()));
}

#[test]
fn what_is_no_uuid_is_not_quoted_at_length() {
    let server = Server::empty();
    let json = server.run_with(&["tasks", "delete", "-"], &b"{\"uuid\":1}".repeat(100)).fails(2);
    assert!(
        json.contains("a UUID and nothing else, as `--output name` prints them, found {\"uuid")
    );
    assert!(json.len() < 200, "{json}");
    let error = server.run(&["tasks", "get", "@uuids.txt"]).fails(2);
    assert_eq!(error, "error: @uuids.txt: expected --from uuids.txt for a file\n");
}

#[test]
fn failures_are_told_and_stop_nothing() {
    for wire in WIRES {
        let server = Server::empty();
        let uuids = tasks(&server, 3);
        let args = ["tasks", "delete", "-y", &uuids[0], "gone", &uuids[1], "code-7", &uuids[2]];
        let ran = server.run(&[&args, wire, &["--output", "json"]].concat());
        // The code of the first failure, in the given order.
        assert_eq!(ran.code, 4, "{}", ran.err);
        assert_eq!(lines(&ran), ["{}"; 3]);
        assert_eq!(listed(&server), []);
        let said: Vec<_> = ran.err.lines().collect();
        let is_said = |start: &str| said.iter().any(|line| line.starts_with(start));
        assert!(is_said("error: gone: DeleteTask: NOT_FOUND: "), "{said:?}");
        assert!(is_said("error: code-7: DeleteTask: PERMISSION_DENIED: "), "{said:?}");
        assert!(said[..2].iter().all(|line| line.contains("(request-id ")), "{said:?}");
        assert_eq!(said[2], "3 deleted, 2 failed");
        assert_eq!(
            &said[3..],
            [
                "hint: `eset-protect tasks list` shows what there is, each with its UUID",
                "hint: check the permissions of that user"
            ]
        );
    }
}

#[test]
fn the_exit_code_is_that_of_the_first_that_failed() {
    let server = Server::empty();
    for (uuids, code) in [
        (["code-5", "code-7", "code-8"], 4),
        (["code-7", "code-8", "code-5"], 5),
        (["code-8", "code-5", "code-7"], 8),
        (["code-14", "code-5", "code-7"], 3),
    ] {
        let once = ["--max-attempts", "1"];
        let ran = server.run(&[&["tasks", "get"], &uuids[..], &once].concat());
        assert_eq!(ran.code, code, "{uuids:?}: {}", ran.err);
        assert!(ran.err.contains("\n0 shown, 3 failed\n"), "{}", ran.err);
    }
}

/// Repeated wrong logins lock an account.
#[test]
fn a_refused_login_ends_it() {
    let server = Server::empty();
    let directory = Directory::new();
    let failed = directory.join("failed");
    let path = failed.to_str().unwrap();
    for wire in WIRES {
        let args =
            ["tasks", "get", "a", "code-16", "b", "c", "--concurrency", "1", "--failed", path];
        let ran = server.run(&[&args, wire].concat());
        assert!(ran.err.contains("\n0 shown, 2 failed, 2 not begun\n"), "{}", ran.err);
        assert_eq!(ran.code, 4);
        assert!(!ran.err.contains("error: b: "), "{}", ran.err);
        // Calls that change nothing can always be repeated.
        assert_eq!(std::fs::read_to_string(&failed).unwrap(), "a\ncode-16\nb\nc\n");
    }
}

#[test]
fn policies_and_assignments_can_be_many_too() {
    for wire in WIRES {
        let server = Server::empty();
        let requests = r#"[{"policy":{"displayName":"A"}},{"policy":{"displayName":"B"}}]"#;
        let create = ["policies", "create", "--file", "-"];
        let ran = server.run_with(&[&create, wire].concat(), requests.as_bytes());
        assert_eq!((ran.code, &*ran.err), (0, "2 created\n"));
        let table = lines(&ran);
        assert!(table[0].starts_with("UUID") && table[1].contains("  A"), "{table:?}");
        assert!(table[2].contains("  B") && table.len() == 3, "{table:?}");

        let policies: Vec<Policy> =
            server.run(&["policies", "list", "--output", "json"]).json_lines();
        let uuids: Vec<_> = policies.iter().map(|policy| &*policy.uuid).collect();
        for uuid in &uuids {
            server.run(&["assignments", "assign", "--policy", uuid, "--device", DEVICE]).ok();
        }
        let assignments: Vec<PolicyAssignment> =
            server.run(&["assignments", "list", "--output", "json"]).json_lines();
        let assigned: Vec<_> = assignments.iter().map(|assignment| &*assignment.uuid).collect();
        for (noun, verb, uuids, sentence, done) in [
            ("assignments", "unassign", &assigned, "Unassigned the assignment ", "2 unassigned\n"),
            ("policies", "delete", &uuids, "Deleted the policy ", "2 deleted\n"),
        ] {
            let ran = server.run(&[&[noun, "get"], &uuids[..], wire].concat());
            assert_eq!((ran.code, &*ran.err), (0, "2 shown\n"));
            let table = lines(&ran);
            assert!(table[0].starts_with("UUID") && table[1].starts_with(uuids[0]), "{table:?}");
            let ran = server.run(&[&[noun, verb, "--yes"], &uuids[..], wire].concat());
            assert_eq!((ran.code, &*ran.err), (0, done));
            assert!(lines(&ran).iter().all(|line| line.starts_with(sentence)), "{:?}", ran.out);
        }
    }
}

#[test]
fn none_is_not_an_error() {
    let server = Server::empty();
    for args in [
        &["tasks", "get", "-"][..],
        &["tasks", "get", "--from", "-", "--output", "json"],
        &["tasks", "delete", "--from", "-"],
    ] {
        let ran = server.run_with(args, b"\n \n");
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err == "0 shown\n" || ran.err == "0 deleted\n", "{}", ran.err);
    }
}

/// The emulator refuses the eleventh call within a second, as ESET does.
#[test]
fn a_rate_of_ones_own() {
    let get = |args: &[&str]| {
        let server = Server::start(Emulator::builder().rate_limit(true));
        let uuids: Vec<_> = (0..20).map(|number| format!("gone-{number}")).collect();
        let args = [&["tasks", "get", "--from", "-", "--wire", "rest"], args].concat();
        server.run_with(&args, uuids.join("\n").as_bytes()).err
    };
    // With one attempt; otherwise calls refused by the limit are repeated until they succeed.
    for off in [&["--rate", "off"][..], &["--rate", "0"], &["--rate", "10000"]] {
        let said = get(&[off, &["--max-attempts", "1"]].concat());
        assert!(said.contains(": GetTask: RESOURCE_EXHAUSTED: "), "{said}");
    }
    let said = get(&["--rate", "10"]);
    assert_eq!(said.matches(": GetTask: NOT_FOUND: ").count(), 20, "{said}");
}

#[test]
fn wrong_flags_name_themselves() {
    for (args, input, expected) in [
        (&["delete"][..], "", "<UUID>..."),
        (&["delete", "a", "--from", "x"], "", "'--from <FILE>'"),
        (&["delete", "a", "-"], "", "error: -: cannot be combined with other"),
        (&["delete", "--from", "/no/such/file"], "", "--from /no/such/file: "),
        (
            &["get", "-"],
            "a\n\"b\"\n",
            "line 2: expected a UUID and nothing else, as `--output name` prints them, found \"b\"",
        ),
        (&["get", "--from", "-"], "a\nb c", "--from -: line 2: expected a UUID and nothing else"),
        (&["get", "--from", "-"], "{\"uuid\":1}", "--from -: line 1: expected a UUID"),
        (
            &["get", "a", "b", "--concurrency", "0"],
            "",
            "'0' for '--concurrency <CALLS>': expected a whole number from 1",
        ),
        (&["get", "a", "b", "--concurrency", "1025"], "", "'1025' for '--concurrency <CALLS>'"),
        (
            &["get", "a", "--rate", "fast"],
            "",
            "error: --rate: expected calls a second, from 1 to 10000, or 0 or `off`",
        ),
        (&["get", "a", "--rate", "10001"], "", "from 1 to 10000, or 0 or `off` for no limit"),
        (&["get", "a", "--rate=-1"], "", "found \"-1\""),
        (&["get", "a", "--failed", "/no/such/file"], "", "--failed /no/such/file: "),
        (&["get", "a", "--failed", "-"], "", "--failed -: expected a file"),
        (&["get", "--from", "Cargo.lock", "--failed", "Cargo.lock"], "", "line 1: expected a UUID"),
    ] {
        let error = run(&[&["tasks"], args].concat(), input.as_bytes()).fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn one_uuid_by_a_file_is_a_list_of_one() {
    let server = Server::empty();
    let uuid = tasks(&server, 2).remove(0);
    let ran = server.run_with(&["tasks", "get", "-", "--output", "json"], uuid.as_bytes());
    assert_eq!((ran.code, &*ran.err), (0, "1 shown\n"));
    let got: GetTaskResponse = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!(got.task.unwrap().uuid, uuid);
}

/// Returns faults for an emulator, and the emulator.
pub fn faulty() -> (Server, Faults) {
    let faults = Faults::new();
    (Server::start(Emulator::builder().faults(faults.clone())), faults)
}

/// Returns a fault that does nothing.
pub fn fine() -> Fault {
    Fault::delay(std::time::Duration::ZERO)
}
