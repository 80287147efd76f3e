//! Hints after a failure: each once, and nothing that the user has already done.

use std::time::Duration;

use eset_protect::emulator::{Auth, Emulator, Fault, Faults};
use http::{HeaderName, HeaderValue, StatusCode};
use tonic::Code;

use crate::command::{DEVICE, Server, command, run, run_command};

const HTML: &str = "<html><body>404 page</body></html>";

#[test]
fn the_time_that_ran_out_is_ours_or_not() {
    let faults = Faults::new();
    let server = Server::start(Emulator::builder().faults(faults.clone()));
    let their_own = |args: &[&str]| {
        let error = server.run(args).fails(6);
        assert!(error.contains("hint: the service or a gateway in front of it gave up"), "{error}");
        assert!(!error.contains("give it more time"), "{error}");
        error
    };
    for wire in ["grpc", "rest"] {
        let get = ["tasks", "get", "x", "--wire", wire];
        faults.push(Fault::code(Code::DeadlineExceeded));
        assert!(!their_own(&get).contains("--page-size"));
        let list = ["tasks", "list", "--wire", wire];
        faults.push(Fault::code(Code::DeadlineExceeded));
        assert!(their_own(&list).contains("or ask for smaller pages with --page-size"));

        // Longer than the command waits; it is dropped with the server.
        faults.push(Fault::delay(Duration::from_secs(3600)));
        let error = server.run(&[&get[..], &["--timeout", "300ms"]].concat()).fails(6);
        assert!(error.contains("hint: give it more time than 300ms with --timeout\n"), "{error}");
        faults.clear();
    }
    faults.push(Fault::http(StatusCode::GATEWAY_TIMEOUT, "text/html", HTML));
    their_own(&["tasks", "list", "--wire", "rest"]);
}

/// A complete list exists on every server of these services.
#[test]
fn a_list_that_is_not_found_is_elsewhere() {
    let faults = Faults::new();
    let server = Server::start(Emulator::builder().faults(faults.clone()));
    let list = ["list", "--wire", "rest", "--max-attempts", "1"];
    for noun in ["tasks", "policies", "assignments"] {
        faults.push(Fault::http(StatusCode::NOT_FOUND, "text/html", HTML));
        let error = server.run(&[&[noun], &list[..]].concat()).fails(4);
        assert!(error.contains("hint: something answers at that address, but it has no such list"));
        assert!(!error.contains("list` shows what there is"), "{error}");
        // Once is enough.
        assert_eq!(error.matches("404 Not Found").count(), 1, "{error}");
        assert_eq!(error.matches("HTTP 404").count(), 1, "{error}");
    }
    // The first page came from there.
    faults.push(Fault::delay(Duration::ZERO));
    faults.push(Fault::http(StatusCode::NOT_FOUND, "text/html", HTML));
    let seeded = Server::start(Emulator::builder().seed(true).faults(faults));
    let error = seeded.run(&[&["devices"], &list[..], &["--page-size", "1"]].concat());
    assert!(error.code == 4 && !error.err.contains("hint:"), "{}", error.err);
    for args in [&["tasks", "get", "x"][..], &["tasks", "get", "x", "--wire", "rest"]] {
        let error = server.run(args).fails(4);
        assert!(
            error.contains(
                "hint: `eset-protect tasks list` shows what there is, each with its UUID\n"
            ),
            "{error}"
        );
    }
}

/// What an older On-Prem server does not have is in no list.
#[test]
fn what_a_deployment_lacks_is_said_so() {
    let older = "13.0".parse().unwrap();
    let auth = Auth::new().account("api", "api");
    let server = Server::start(Emulator::builder().seed(true).auth(auth).deployment(older));
    let run = |args: &[&str]| {
        let mut command = command(&[args, &["--on-prem", &server.endpoint]].concat());
        command.env("ESET_PROTECT_USERNAME", "api").env("ESET_PROTECT_PASSWORD", "api");
        run_command(command, b"")
    };
    let error = run(&["isolate", DEVICE]).fails(4);
    assert!(error.contains("On-Prem 13.1, which brought CreateTask"), "{error}");
    assert!(!error.contains("hint:"), "{error}");
    let rename = ["devices", "rename", "11111111-1111-4111-8111-111111111111"];
    let error = run(&[&rename[..], &["--display-name", "x"]].concat()).fails(4);
    assert!(error.contains("there is no device `11111111-"), "{error}");
}

#[test]
fn errors_say_how_often_the_call_was_sent() {
    let faults = Faults::new();
    let server = Server::start(Emulator::builder().faults(faults.clone()));
    for wire in ["grpc", "rest"] {
        let get = |uuids: &[&str]| {
            for _ in 0..2 {
                faults.push(Fault::code(Code::Unavailable));
            }
            let args = ["--wire", wire, "--max-attempts", "2", "--concurrency", "1"];
            server.run(&[&["tasks", "get"], uuids, &args].concat())
        };
        let error = get(&["x"]).fails(3);
        assert!(error.contains("\n  2 attempts\n"), "{error}");
        let ran = get(&["a", "b"]);
        let mut lines = ran.err.lines();
        assert!(lines.next().unwrap().contains(" (2 attempts, request-id "), "{}", ran.err);
        assert!(lines.next().unwrap().contains(" (request-id "), "once: {}", ran.err);
    }
}

#[test]
fn no_hint_recommends_what_was_done() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{nowhere}");
    let error = run(&["tasks", "list", "--endpoint", &endpoint], b"").fails(3);
    assert!(error.contains("hint: is a server listening there?"), "{error}");
    assert!(!error.contains("--endpoint"), "{error}");
    let mut on_prem = command(&["tasks", "list", "--on-prem", &format!("https://{nowhere}")]);
    on_prem.env("ESET_PROTECT_TOKEN", "x");
    assert!(run_command(on_prem, b"").fails(3).contains("It usually has port 9443"));

    let faults = Faults::new();
    let server = Server::start(Emulator::builder().faults(faults.clone()));
    for (rate, hint) in [(None, "or ask for fewer with --rate"), (Some("9"), "or lower --rate")] {
        faults.push(Fault::too_many_requests(None));
        let args = ["tasks", "list", "--wire", "rest"];
        let rate: Vec<_> = rate.into_iter().flat_map(|rate| ["--rate", rate]).collect();
        let error = server.run(&[&args[..], &rate].concat()).fails(8);
        assert!(error.contains(hint), "{error}");
    }
}

#[test]
fn a_call_that_breaks_among_others_does_not_put_the_server_in_doubt() {
    let faults = Faults::new();
    let server = Server::start(Emulator::builder().seed(true).faults(faults.clone()));
    for wire in ["grpc", "rest"] {
        let get = |uuids: &[&str]| {
            faults.push(Fault::break_before_headers());
            let args = ["--wire", wire, "--max-attempts", "1", "--concurrency", "1"];
            server.run(&[&["tasks", "get"], uuids, &args].concat()).err
        };
        let doubt = "hint: is that endpoint a";
        // Over gRPC, it has reset the stream, so it speaks gRPC.
        assert_eq!(get(&["x"]).contains(doubt), wire == "rest");
        let error = get(&["x", "5eed0000-0000-4000-8000-000000000014"]);
        assert!(error.contains("1 shown, 1 failed\n") && !error.contains(doubt), "{error}");
    }
}

/// Nobody can call a method of the library from the command.
#[test]
fn limits_name_no_method_of_the_library() {
    let faults = Faults::new();
    let server = Server::start(Emulator::builder().faults(faults.clone()));
    let note = HeaderValue::from_str(&"n".repeat(2 << 20)).unwrap();
    let answer = Fault::http(StatusCode::OK, "application/json", "{}");
    faults.push(answer.header(HeaderName::from_static("x-note"), note));
    let error = server.run(&["tasks", "get", "x", "--wire", "rest"]).fails(8);
    assert!(error.contains("1048576 bytes") && !error.contains("ClientBuilder"), "{error}");
    // What is large can be had.
    let name = "n".repeat(20 << 20);
    let task = format!("{{\"task\":{{\"displayName\":\"{name}\"}}}}");
    faults.push(Fault::http(StatusCode::OK, "application/json", task));
    let ran = server.run(&["tasks", "get", "x", "--wire", "rest", "-o", "json"]);
    assert_eq!((ran.code, ran.out.len() > name.len()), (0, true), "{}", ran.err);
}
