//! Every command over every wire has the same output.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use eset_protect::automation::v1::CreateTaskResponse;
use eset_protect::emulator::{Auth, Emulator, ManualClock, SequentialIds};
use eset_protect::policy_management::v2::{AssignPolicyResponse, CreatePolicyResponse};

use crate::command::{DEVICE, GROUP, Ran, Server, command, run_command};

/// How to reach a server; `URL` stands for its address.
const WIRES: &[(&str, &[&str])] = &[
    ("gRPC", &["--endpoint", "URL"]),
    ("gRPC by name", &["--endpoint", "URL", "--wire", "grpc"]),
    ("REST", &["--endpoint", "URL", "--wire", "rest"]),
    ("auto", &["--endpoint", "URL", "--wire", "auto"]),
    ("On-Prem", &["--on-prem", "URL"]),
];

const MANUAL: &str = r#"{"manual":{"expireTime":"2040-01-01T00:00:00Z"}}"#;

/// Each command, and some that fail. `TASK`, `POLICY` and `ASSIGNMENT` stand for resources created earlier.
const COMMANDS: &[&[&str]] = &[
    &["tasks", "list"],
    &["tasks", "list", "--output", "json"],
    &["tasks", "list", "--output", "json", "--page-size", "7"],
    &["tasks", "get", "TASK"],
    &["tasks", "get", "TASK", "--output", "json"],
    &["tasks", "runs", "TASK"],
    &["tasks", "runs", "TASK", "--device", DEVICE, "--list-only-last-runs", "--output", "json"],
    &["tasks", "create", "--name", "x", "--action", "StopManaging", "--group", GROUP],
    &["tasks", "update-targets", "TASK", "--devices", DEVICE, "--device-groups", GROUP],
    &["tasks", "update-targets", "TASK", "--devices", DEVICE, "--output", "json"],
    &["tasks", "update-triggers", "TASK", "--triggers", MANUAL],
    &["tasks", "update-triggers", "TASK", "--triggers", MANUAL, "--output", "json"],
    &["policies", "list"],
    &["policies", "list", "--output", "json"],
    &["policies", "get", "POLICY"],
    &["policies", "get", "POLICY", "--output", "json"],
    &["assignments", "list"],
    &["assignments", "list", "--policy", "POLICY", "--output", "json"],
    &["assignments", "list", "--device-group", GROUP, "--output", "json"],
    &["assignments", "get", "ASSIGNMENT"],
    &["assignments", "get", "ASSIGNMENT", "--output", "json"],
    &["assignments", "update-ranking", "ASSIGNMENT", "--rank", "1"],
    &["assignments", "update-ranking", "ASSIGNMENT", "--rank", "1", "--output", "json"],
    // Failures.
    &["tasks", "get", "no such task"],
    &["tasks", "get", "a/b?c#d%2e"],
    &["tasks", "delete", "nothing"],
    &["tasks", "update-targets", "nothing", "--devices", DEVICE],
    &["tasks", "update-targets", "TASK", "--devices", ""],
    &["tasks", "update-triggers", "nothing", "--triggers", MANUAL],
    &["tasks", "wait", "nothing"],
    &["policies", "get", "nothing"],
    &["assignments", "update-ranking", "ASSIGNMENT", "--rank", "0"],
    &["assignments", "update-ranking", "ASSIGNMENT", "--rank", "900"],
    &["assignments", "unassign", "nothing"],
    &["tasks", "get", "code-5"],
    &["tasks", "get", "code-7"],
    &["tasks", "get", "code-8", "--max-attempts", "1"],
    &["tasks", "get", "code-14"],
    &["tasks", "get", "code-16"],
    // Cleanup.
    &["assignments", "unassign", "ASSIGNMENT"],
    &["policies", "delete", "POLICY", "--output", "json"],
    &["tasks", "delete", "TASK"],
    &["tasks", "get", "TASK"],
];

/// An action unknown here, with a number that no float can represent.
const TASK: &str = r#"{"task":{"displayName":"Zürich \"1\"","action":{"name":"Newer","params":{"@type":"type.googleapis.com/a.v1.Newer","budget":12345678901234567890}},"targets":{"devicesUuids":["5f0c1a62-7d0e-4b57-9c35-30d2a1c40101"]},"triggers":[{"manual":{"expireTime":"2040-01-01T00:00:00Z"}}]}}"#;

/// Runs everything over one wire and returns the output, without what only REST can report.
fn everything(target: &[&str]) -> Vec<String> {
    let clock = ManualClock::new(UNIX_EPOCH + Duration::from_secs(1_900_000_000));
    let server = Server::start(
        Emulator::builder().seed(true).clock(Arc::new(clock)).ids(SequentialIds).auth(Auth::new()),
    );
    let run = |args: &[&str], input: &str| -> Ran {
        let target = target.iter().map(|arg| arg.replace("URL", &server.endpoint));
        let mut command = command(args);
        command
            .args(target)
            .env("ESET_PROTECT_USERNAME", "api")
            .env("ESET_PROTECT_PASSWORD", "api");
        run_command(command, input.as_bytes())
    };
    let create = ["create", "--file", "-", "--allow-unknown", "--output", "json"];
    let task = run(&[&["tasks"], &create[..]].concat(), TASK).json::<CreateTaskResponse>();
    let policy = run(&[&["policies"], &create[..]].concat(), r#"{"policy":{"displayName":"x"}}"#);
    let policy = policy.json::<CreatePolicyResponse>().policy.unwrap().uuid;
    let assign = ["assignments", "assign", "--policy", &policy, "--device-group", GROUP];
    let assigned = run(&[&assign[..], &["--output", "json"]].concat(), "");
    let assignment = assigned.json::<AssignPolicyResponse>().assignment.unwrap().uuid;
    let task = task.task.unwrap().uuid;

    let mut said = Vec::new();
    for line in COMMANDS {
        let args: Vec<_> = line
            .iter()
            .map(|arg| match *arg {
                "TASK" => &task,
                "POLICY" => &policy,
                "ASSIGNMENT" => &assignment,
                arg => arg,
            })
            .collect();
        let ran = run(&args, "");
        let out = String::from_utf8(ran.out).unwrap();
        let is_common = |line: &&str| {
            !["  HTTP ", "  request-id ", "hint: ESET answers ten"]
                .iter()
                .any(|start| line.starts_with(start))
        };
        // Of On-Prem, the version is not known.
        let plain =
            |line: &str| line.split("; or the server is older than ").next().map(str::to_owned);
        let err: Vec<_> = ran.err.lines().filter(is_common).filter_map(plain).collect();
        said.push(format!("{line:?} -> {}\n{out}{}", ran.code, err.join("\n")));
    }
    said
}

#[test]
fn all_wires_say_the_same() {
    let (first, others) = WIRES.split_first().unwrap();
    let expected = everything(first.1);
    assert!(expected[0].contains("-> 0\nUUID "), "{}", expected[0]);
    for (name, target) in others {
        for (said, expected) in everything(target).iter().zip(&expected) {
            assert_eq!(said, expected, "over {name}");
        }
    }
}

/// ESET's gateway maps several codes to one status. The command reports which one it assumed, and why.
#[test]
fn rest_tells_the_status_and_what_is_inferred() {
    let server = Server::empty();
    let once = ["--wire", "rest", "--max-attempts", "1"];
    let rest = |uuid: &str| server.run(&[&["tasks", "get", uuid], &once[..]].concat());
    let error = rest("nothing").fails(4);
    assert!(error.starts_with("error: GetTask: NOT_FOUND: "), "{error}");
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines[1], "  HTTP 404, from which NOT_FOUND is inferred");
    assert!(lines[2].starts_with("  request-id "), "{error}");
    for (uuid, line, exit) in [
        ("code-9", "  HTTP 400, from which INVALID_ARGUMENT is inferred\n", 2),
        ("code-7", "  HTTP 403, from which PERMISSION_DENIED is inferred\n", 5),
        ("code-8", "  HTTP 429, from which RESOURCE_EXHAUSTED is inferred\n", 8),
        ("code-14", "  HTTP 503, from which UNAVAILABLE is inferred\n", 3),
    ] {
        let error = rest(uuid).fails(exit);
        assert!(error.contains(line), "{error}");
    }
    let grpc = server.run(&["tasks", "get", "code-9"]).fails(7);
    assert!(!grpc.contains("  HTTP ") && grpc.contains("  request-id "), "{grpc}");
}

#[test]
fn the_wire_comes_from_the_environment_too() {
    let server = Server::empty();
    let said = |wire: &str, args: &[&str]| {
        let mut command = server.command(&[&["tasks", "get", "nothing"], args].concat());
        run_command(
            {
                command.env("ESET_PROTECT_WIRE", wire);
                command
            },
            b"",
        )
    };
    assert!(said("rest", &[]).fails(4).contains("  HTTP 404"));
    assert!(!said("rest", &["--wire", "grpc"]).fails(4).contains("  HTTP "));
    assert!(!said("auto", &[]).fails(4).contains("  HTTP "));
    assert!(!said("", &[]).fails(4).contains("  HTTP "));
    let error = said("soap", &[]).fails(2);
    assert!(error.contains("ESET_PROTECT_WIRE: expected grpc, rest or auto"), "{error}");
}

/// A server that responds to everything in HTTP/1.1, like an unrelated web server.
#[test]
fn the_wrong_wire_names_the_other() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let answer =
                b"HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.read(&mut [0; 4096]).and_then(|_| stream.write_all(answer));
        }
    });
    let list = |wire: &str| {
        let args = ["tasks", "list", "--endpoint", &endpoint, "--wire", wire];
        run_command(command(&args), b"")
    };
    let error = list("grpc").fails(3);
    assert!(error.contains("If it speaks REST, say --wire rest"), "{error}");
    let error = list("rest").fails(1);
    assert!(error.contains("UNIMPLEMENTED") && error.contains("HTTP 501"), "{error}");
    assert!(error.contains("If it speaks gRPC, say --wire grpc"), "{error}");
}
