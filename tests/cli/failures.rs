//! Exit codes and error messages.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::TcpListener;
use std::task::{Context, Poll};

use eset_protect::proto::google::rpc::{self, BadRequest, bad_request::FieldViolation};
use eset_protect::wkt::Any;
use prost::Message;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::command::{DEVICE, command, run, run_command, runtime};
use crate::support::scripted::{Scripted, ok};

/// A service that returns the same status for every call.
#[derive(Clone)]
struct Failing(Status);

impl tonic::server::NamedService for Failing {
    const NAME: &'static str = "eset.dotnod.automation.v1.DeviceTasks";
}

impl tower_service::Service<http::Request<Body>> for Failing {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        ready(Ok(self.0.clone().into_http()))
    }
}

/// Runs `tasks` with these arguments against a service with this failure.
fn against(status: Status, args: &[&str]) -> crate::command::Ran {
    let runtime = runtime();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(
        tonic::transport::Server::builder()
            .add_service(Failing(status))
            .serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)),
    );
    run_command(command(&[&["tasks", "--endpoint", &endpoint], args].concat()), b"")
}

#[test]
fn each_code_has_its_exit_code() {
    for (code, name, exit) in [
        (Code::InvalidArgument, "INVALID_ARGUMENT", 2),
        (Code::OutOfRange, "OUT_OF_RANGE", 2),
        (Code::Unavailable, "UNAVAILABLE", 3),
        (Code::NotFound, "NOT_FOUND", 4),
        (Code::Unauthenticated, "UNAUTHENTICATED", 5),
        (Code::PermissionDenied, "PERMISSION_DENIED", 5),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", 6),
        (Code::FailedPrecondition, "FAILED_PRECONDITION", 7),
        (Code::AlreadyExists, "ALREADY_EXISTS", 7),
        (Code::Aborted, "ABORTED", 7),
        (Code::ResourceExhausted, "RESOURCE_EXHAUSTED", 8),
        (Code::Internal, "INTERNAL", 1),
        (Code::Unimplemented, "UNIMPLEMENTED", 1),
        (Code::Unknown, "UNKNOWN", 1),
    ] {
        let once = ["--max-attempts", "1"];
        let error = against(Status::new(code, "because"), &[&["get", "x"], &once[..]].concat());
        let error = error.fails(exit);
        assert!(error.starts_with(&format!("error: GetTask: {name}: because\n")), "{error}");
        let error = against(Status::new(code, "because"), &[&["list"], &once[..]].concat());
        let error = error.fails(exit);
        assert!(error.starts_with(&format!("error: ListTasks: {name}: because\n")), "{error}");
    }
}

#[test]
fn request_id_and_fields_are_shown() {
    let violation = |field: &str, description: &str| FieldViolation {
        field: field.to_owned(),
        description: description.to_owned(),
        ..FieldViolation::default()
    };
    let details = BadRequest {
        field_violations: vec![
            violation("task.triggers", "must not be empty"),
            violation("task.action\u{1b}[31m", "must be set"),
        ],
    };
    let details =
        rpc::Status { code: 3, message: "wrong".to_owned(), details: vec![Any::pack(&details)] };
    let mut metadata = MetadataMap::new();
    metadata.insert("request-id", "r-1".parse().unwrap());
    let details = details.encode_to_vec().into();
    let status =
        Status::with_details_and_metadata(Code::InvalidArgument, "wrong", details, metadata);
    let error = against(status, &["list"]).fails(2);
    assert_eq!(
        error,
        "error: ListTasks: INVALID_ARGUMENT: wrong\n  request-id r-1\n  field `task.triggers`: must \
         not be empty\n  field `task.action\\u{1b}[31m`: must be set\n"
    );
}

#[test]
fn nobody_listens() {
    // Bound but not listening, so that no other test can get the port.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    for endpoint in [format!("http://{address}"), format!("https://{address}")] {
        let error = run(&["policies", "list", "--endpoint", &endpoint], b"").fails(3);
        assert!(error.contains(&format!("cannot connect to {endpoint}: ")), "{error}");
        assert!(error.contains("hint: ") && error.contains("eset-protect emulator"), "{error}");
    }
}

/// A failing proxy is not reported as a failing endpoint.
#[test]
fn a_proxy_is_told_as_a_proxy() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    for wire in ["grpc", "rest"] {
        for (value, code, expected) in [
            (
                format!("http://{address}"),
                3,
                format!("cannot connect to the proxy {address} (http_proxy): "),
            ),
            (
                "ftp://user:geheim@x".to_owned(),
                2,
                "http_proxy: expected http://[USER:PASSWORD@]HOST[:PORT], ".to_owned(),
            ),
        ] {
            let args = ["tasks", "list", "--endpoint", "http://eset.example:80", "--wire", wire];
            let mut command = command(&[&args[..], &["--max-attempts", "1"]].concat());
            command.env_remove("HTTP_PROXY").env("http_proxy", value);
            let error = run_command(command, b"").fails(code);
            assert!(error.contains(&expected) && !error.contains("geheim"), "{error}");
            let hint = "hint: NO_PROXY lists hosts to reach directly";
            assert_eq!(error.contains(hint), code == 3, "{error}");
            assert!(!error.contains("eset-protect emulator"), "{error}");
        }
    }
}

#[test]
fn time_runs_out() {
    // Speaks HTTP/2 but does not respond.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Empty SETTINGS, the preface of a server.
            let _ = std::io::Write::write_all(&mut stream, b"\0\0\0\x04\0\0\0\0\0");
            open.push(stream);
        }
    });
    let args = ["--endpoint", &endpoint, "--timeout", "200ms"];
    let error = run(&[&["tasks", "list"], &args[..]].concat(), b"").fails(6);
    assert!(error.contains("DEADLINE_EXCEEDED") && error.contains("--timeout"), "{error}");
    assert!(!error.contains("look before"), "a list changes nothing: {error}");
    let create = ["tasks", "create", "--name", "x", "--action", "StopManaging", "--device", DEVICE];
    let error = run(&[&create[..], &args].concat(), b"").fails(6);
    assert!(error.contains("it may have been done anyway"), "{error}");
}

#[test]
fn wrong_settings_name_themselves() {
    for (args, expected) in [
        (&["--endpoint", "127.0.0.1:1"][..], "endpoint: expected http://HOST:PORT"),
        (&["--endpoint", "ftp://x"], "endpoint: expected http://HOST:PORT"),
        (&["--endpoint", "http://user:geheim@x"], "credentials do not belong in an endpoint"),
        (&["--timeout", "30"], "--timeout: expected a number with a unit"),
        (&["--timeout", "0s"], "--timeout: expected a time greater than zero"),
        (&["--timeout", "99999999999999999999h"], "--timeout: expected"),
        (&["--timeout", "9999999999h"], "at most 27 hours"),
        (&["--ca-cert", "/no/such/file"], "--ca-cert /no/such/file: "),
        (&["--ca-cert", "Cargo.toml", "--endpoint", "https://x"], "--ca-cert Cargo.toml: "),
        (&["--output", "xml"], "table, wide, json, yaml, csv, name"),
        (&["--page-size", "-1"], "--page-size"),
    ] {
        let error = run(&[&["tasks", "list"], args].concat(), b"").fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
        assert!(!error.contains("geheim"), "{error}");
    }
}

#[test]
fn settings_come_from_the_environment_too() {
    let mut command = command(&["tasks", "list"]);
    command.env("ESET_PROTECT_TIMEOUT", "soon");
    assert!(run_command(command, b"").fails(2).starts_with("error: ESET_PROTECT_TIMEOUT: "));
}

#[test]
fn help_tells_the_exit_codes() {
    for args in [&["--help"][..], &["-h"]] {
        let help = run(args, b"").ok();
        assert!(help.contains("Exit codes:") && help.contains("4  not found"), "{help}");
    }
    for command in ["tasks", "policies", "assignments"] {
        let help = run(&[command, "--help"], b"").ok();
        assert!(help.contains("ESET_PROTECT_ENDPOINT") && help.contains("one"), "{help}");
    }
    assert_eq!(run(&["--version"], b"").ok(), "eset-protect 0.1.0\n");
    assert_eq!(run(&["nonsense"], b"").code, 2);
    assert_eq!(run(&[], b"").code, 2);
}

#[test]
fn a_response_without_what_was_asked_for_is_a_failure() {
    let (runtime, args) = (runtime(), ["--max-attempts", "1", "--wire", "rest", "--endpoint"]);
    let error = |body: &str, call: &[&str]| {
        let server = runtime.block_on(Scripted::start([ok(body)]));
        run_command(command(&[call, &args, &[&server.endpoint()]].concat()), b"")
    };
    let create = ["tasks", "create", "--name", "x", "--action", "StopManaging", "--device", DEVICE];
    for call in [&["isolate", DEVICE][..], &create, &["tasks", "get", DEVICE, "-o", "json"]] {
        let said = error("{}", call).fails(3);
        assert!(said.contains("INTERNAL: the response has no `task`"), "{call:?}: {said}");
    }
    let refusal = r#"{"code":7,"message":"permission denied","details":[]}"#;
    for call in [
        &["isolate", DEVICE][..],
        &create,
        &["tasks", "delete", DEVICE, "--yes"],
        &["tasks", "list"],
    ] {
        let said = error(refusal, call).fails(5);
        assert!(said.contains("PERMISSION_DENIED: permission denied"), "{call:?}: {said}");
    }
}
