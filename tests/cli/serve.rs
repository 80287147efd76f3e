//! `eset-protect serve`.

#![cfg(unix)]

#[cfg(feature = "otlp")]
mod otlp;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use eset_protect::automation::v1::{DeviceTask, ListTasksRequest};
use eset_protect::emulator::{Emulator, Fault, Running};
use eset_protect::{Client, RetryPolicy};
use serde_json::Value;
use tokio::runtime::Runtime;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::command::{Ran, Serving, command, run, run_command};
use crate::support::directory::Directory;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TOKEN: &str = "4f0c7d1e9b2a58c36d7e81f0a94b25cc";
const HASH: &str = "4c645bd13edfefc36351d6f14f388b884e0ce1411b79b7212007fd23aa3df154";

fn upstream(runtime: &Runtime) -> Running {
    runtime
        .block_on(async { Emulator::builder().seed(true).build().unwrap().start().await.unwrap() })
}

fn start(args: &[&str]) -> Serving {
    Serving::start(command(&[&["serve"], args].concat()))
}

impl Serving {
    fn list(&self, wire: &str, token: &str) -> Ran {
        self.call(&["tasks", "list", "--wire", wire, "--output", "json"], token)
    }

    fn delete(&self, uuid: &str) -> Ran {
        self.call(&["tasks", "delete", uuid], TOKEN)
    }

    fn call(&self, args: &[&str], token: &str) -> Ran {
        let mut command = command(&[args, &["--endpoint", &self.endpoint]].concat());
        if !token.is_empty() {
            command.env("ESET_PROTECT_TOKEN", token);
        }
        run_command(command, b"")
    }
}

#[test]
fn a_server_ends_with_its_test() {
    let serving = start(&["--listen", "127.0.0.1:0", "--endpoint", "http://127.0.0.1:1"]);
    let address = serving.endpoint.strip_prefix("http://").unwrap().to_owned();
    TcpStream::connect(&address).unwrap();
    drop(serving);
    TcpStream::connect(&address).unwrap_err();
}

#[test]
fn one_upstream_serves_everybody_on_this_machine() {
    let runtime = Runtime::new().unwrap();
    let emulator = upstream(&runtime);
    let endpoint = emulator.endpoint();
    let args = ["--listen", "127.0.0.1:0", "--endpoint", &endpoint, "--wire", "rest"];
    let serving = start(&args);
    for wire in ["grpc", "rest"] {
        let tasks: Vec<DeviceTask> = serving.list(wire, "").json_lines();
        assert!(!tasks.is_empty());
    }
    assert_eq!(serving.stop("-TERM").ok(), "");
    let error = run(&["serve", "--listen", "0.0.0.0:0", "--endpoint", &endpoint], b"").fails(2);
    assert!(error.contains("--listen 0.0.0.0:0: expected a loopback address"), "{error}");
}

/// Nobody can call a method of the library from the command.
#[test]
fn a_message_over_the_limit_names_the_key_of_a_configuration() {
    let serving = start(&["--listen", "127.0.0.1:0", "--endpoint", "http://127.0.0.1:1"]);
    let mut stream = TcpStream::connect(serving.endpoint.strip_prefix("http://").unwrap()).unwrap();
    let head =
        "POST /v1/device_tasks HTTP/1.1\r\nhost: localhost\r\ncontent-length: 16777217\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let expected = "raise it with limits.max_message_size in a configuration file, by --config";
    assert!(answer.contains(expected), "{answer}");
}

#[test]
fn a_configuration_and_options_of_the_connection_exclude_each_other() {
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    fs::write(&path, "[tenants.acme]\nendpoint = \"http://127.0.0.1:1\"\n").unwrap();
    let args = ["serve", "--check", "--config", path.to_str().unwrap()];
    for option in [
        ["--endpoint", "http://127.0.0.1:2"],
        ["--rate", "5"],
        ["--timeout", "5s"],
        ["--region", "eu"],
        ["--username", "ada"],
        ["--ca-cert", "ca.pem"],
        ["--pin-cert", "pin.pem"],
        ["--profile", "lab"],
    ] {
        let error = run(&[&args[..], &option].concat(), b"").fails(2);
        let expected = format!("{}: expected no option of the connection with --config", option[0]);
        assert!(error.contains(&expected), "{error}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listen = directory.join("taken.toml");
    let tenant = "[tenants.acme]\nendpoint = \"http://127.0.0.1:1\"\n";
    fs::write(&listen, format!("listen = \"{address}\"\n{tenant}")).unwrap();
    let failed = run(&["serve", "--config", listen.to_str().unwrap()], b"");
    assert!(failed.err.starts_with(&format!("error: listen {address}: ")), "{}", failed.err);
    // A variable is not an option.
    let mut command = command(&args);
    command.env("ESET_PROTECT_RATE", "5").env("ESET_PROTECT_REGION", "eu");
    let checked = run_command(command, b"").ok();
    assert!(
        checked.contains("is valid") && checked.contains("\neverybody on this machine may call")
    );
}

#[test]
fn a_caller_with_several_tenants_names_one() {
    let runtime = Runtime::new().unwrap();
    let emulator = upstream(&runtime);
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    let endpoint = emulator.endpoint();
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[tenants.acme]\nendpoint = {endpoint:?}\n[tenants.beta]\nendpoint = {endpoint:?}\n\
         [callers.soar]\ntoken_sha256 = {HASH:?}\ntenants = [\"acme\", \"beta\"]\n"
    );
    fs::write(&path, text).unwrap();
    let serving = start(&["--config", path.to_str().unwrap()]);
    let list = |wire: &str, options: &[&str]| {
        let args = ["tasks", "list", "--wire", wire, "--endpoint", &serving.endpoint];
        let mut command = command(&[&args, options].concat());
        command.env("ESET_PROTECT_TOKEN", TOKEN);
        run_command(command, b"")
    };
    for wire in ["grpc", "rest"] {
        let error = list(wire, &[]).fails(2);
        assert!(
            error.contains("hint: --tenant NAME or ESET_PROTECT_TENANT says which\n"),
            "{error}"
        );
        list(wire, &["--tenant", "beta"]).ok();
        list(wire, &["--tenant", "gamma"]).fails(5);
    }
}

#[test]
fn a_configuration_is_checked_served_and_read_again() {
    let runtime = Runtime::new().unwrap();
    let emulator = upstream(&runtime);
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    let file = path.to_str().unwrap();
    let write = |rest: &str| {
        let endpoint = emulator.endpoint();
        let text = format!(
            "listen = \"127.0.0.1:0\"\naudit_log = \"audit.jsonl\"\noperations = \"127.0.0.1:0\"\n[tenants.acme]\nendpoint = {endpoint:?}\n\
             [callers.soar]\ntoken_sha256 = {HASH:?}\ntenants = [\"acme\"]\n{rest}\n"
        );
        fs::write(&path, text).unwrap();
    };
    write("");
    let checked = run(&["serve", "--config", file, "--check"], b"").ok();
    assert!(checked.contains("is valid") && !checked.contains("everybody"), "{checked}");
    let mut serving = start(&["--config", file]);
    let mut notices = BufReader::new(serving.process().stderr.take().unwrap()).lines();
    let notice = notices.next().unwrap().unwrap();
    let (_, operations) = notice.split_once("operations at http://").unwrap();
    let tasks: Vec<DeviceTask> = serving.list("grpc", TOKEN).json_lines();
    assert!(!tasks.is_empty());
    serving.list("grpc", "").fails(5);
    let mut stream = TcpStream::connect(serving.endpoint.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(b"GET /none HTTP/1.0\r\n\r\n").unwrap();
    std::io::read_to_string(stream).unwrap();
    let mut stream = TcpStream::connect(operations).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let metrics = std::io::read_to_string(stream).unwrap();
    assert!(metrics.contains("\nrpc_server_call_duration_seconds_bucket{"), "{metrics}");
    assert!(metrics.contains("\neset_protect_serve_calls_total{tenant=\"acme\""), "{metrics}");
    let refused = "_calls_total{tenant=\"\",rpc_response_status_code=\"UNAUTHENTICATED\"} ";
    assert!(metrics.contains(refused), "{metrics}");
    let unknown = "rpc_method=\"_OTHER\",rpc_response_status_code=\"NOT_FOUND\"";
    assert!(metrics.contains(unknown) && !metrics.contains("/none"), "{metrics}");

    let audit = || fs::read_to_string(directory.join("audit.jsonl")).unwrap();
    serving.delete(&tasks[0].uuid).ok();
    assert!(audit().contains(r#""event":"begin""#) && audit().contains(r#""caller":"soar""#));
    fs::rename(directory.join("audit.jsonl"), directory.join("audit.1")).unwrap();

    write("alow = []");
    let error = run(&["serve", "--config", file, "--check"], b"").fails(2);
    assert!(
        error.contains("serve.toml:9: callers.soar.alow: unknown")
            || error.contains("serve.toml:9: alow: unknown field `alow`"),
        "{error}"
    );
    run(&["serve", "--config", file], b"").fails(2);
    serving.signal("-HUP");
    let notice = notices.next().unwrap().unwrap();
    assert!(notice.contains("the old configuration stays in use"), "{notice}");
    assert_eq!(audit(), "", "a new file");
    let again: Vec<DeviceTask> = serving.list("rest", TOKEN).json_lines();
    assert_eq!(again.len(), tasks.len() - 1);

    write("allow = [\"Policies/*\"]");
    serving.signal("-HUP");
    let notice = notices.next().unwrap().unwrap();
    assert!(notice.contains("reloaded"), "{notice}");
    serving.list("rest", TOKEN).fails(5);

    let text = fs::read_to_string(&path).unwrap().replace("audit_log = \"audit.jsonl\"\n", "");
    let text = text.replacen("127.0.0.1:0", "127.0.0.1:50099", 1);
    fs::write(&path, text.replace("127.0.0.1:0", "127.0.0.1:50098")).unwrap();
    serving.signal("-HUP");
    let notice = notices.next().unwrap().unwrap();
    let expected = "serve.toml; only a restart changes listen, audit_log, operations";
    assert!(notice.ends_with(expected), "{notice}");
    serving.stop("-TERM");
}

/// As the unit of systemd and the manifests start it: without -v.
#[test]
fn an_operator_is_told_once_what_fails_and_what_works_again() {
    // Of the issuer, with a signature of nobody.
    const JWT: &str =
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLyJ9.AAAA";
    let runtime = Runtime::new().unwrap();
    let emulator = upstream(&runtime);
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    // There is nothing at port 1.
    let config = format!(
        "listen = \"127.0.0.1:0\"\noperations = \"127.0.0.1:0\"\n\
         [jwt]\nissuer = \"https://idp.example/\"\naudience = \"a\"\njwks = \"http://127.0.0.1:1/keys?k=hunter2\"\n\
         [redis]\nurl = \"redis://127.0.0.1:1\"\ninstances = 2\n\
         [tenants.acme]\nendpoint = {:?}\nwire = \"rest\"\nrate = 1000\nmax_attempts = 1\n\
         [callers.soar]\ntoken_sha256 = {HASH:?}\ntenants = [\"acme\"]\n\
         [callers.ci]\njwt = \"ci\"\ntenants = [\"acme\"]\n",
        emulator.endpoint()
    );
    fs::write(&path, &config).unwrap();
    let mut serving = start(&["--config", path.to_str().unwrap()]);
    let mut told = BufReader::new(serving.process().stderr.take().unwrap()).lines();
    let mut next = |expected: &str| {
        let line = told.next().unwrap().unwrap();
        assert!(line.contains(expected), "{expected}: {line}");
        line
    };
    let line = next("operations at http://");
    let (_, operations) = line.split_once("operations at http://").unwrap();
    let degraded = |labels: &str| {
        let mut stream = TcpStream::connect(operations).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let metrics = std::io::read_to_string(stream).unwrap();
        let name = format!("eset_protect_serve_degraded{{{labels}}} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or_else(|| panic!("{name}{metrics}")).to_owned()
    };
    let of_server = |cause: &str| degraded(&format!("cause=\"{cause}\",tenant=\"\""));
    let of_tenant = || degraded("cause=\"tenant\",tenant=\"acme\"");
    for _ in 0..2 {
        emulator.faults().push(Fault::code(Code::Unavailable));
        serving.list("rest", TOKEN).fails(3);
        serving.list("rest", JWT).fails(3);
    }
    next("WARN eset_protect::server: Redis is unreachable; this instance takes 1/2 of each budget");
    let line = next("WARN eset_protect::server: the upstream is down");
    assert!(line.contains("acme"), "{line}");
    let line =
        next("WARN eset_protect::server: the keys of the issuer of tokens cannot be fetched");
    assert!(line.contains(": http://127.0.0.1:1/keys: "), "{line}");
    assert_eq!([of_server("redis"), of_server("jwks"), of_tenant()], ["1", "1", "1"]);
    serving.list("rest", TOKEN).ok();
    next("WARN eset_protect::server: the upstream is up again");
    assert_eq!(of_tenant(), "0");

    fs::write(&path, "tenants = 1").unwrap();
    serving.signal("-HUP");
    next("WARN eset_protect::server: not reloaded; the old configuration stays in use");
    assert_eq!(of_server("reload"), "1");
    fs::write(&path, &config).unwrap();
    serving.signal("-HUP");
    next("INFO eset_protect::server: reloaded ");
    assert_eq!([of_server("reload"), of_server("redis")], ["0", "1"]);
    assert_eq!(serving.stop("-TERM").code, 0);
    assert!(told.next().is_none());
}

/// With calls in progress, and somebody who watches the health.
#[test]
fn a_signal_lets_calls_finish_and_refuses_new_ones() {
    const CALLS: usize = 8;
    let runtime = Runtime::new().unwrap();
    let emulator = upstream(&runtime);
    let endpoint = emulator.endpoint();
    let args = ["--listen", "127.0.0.1:0", "--endpoint", &endpoint, "--wire", "rest"];
    let serving = start(&args);
    let list = async || {
        // A connection each, so that several threads serve them.
        let client = Client::builder(&serving.endpoint).retry(RetryPolicy::none());
        client.connect_lazy()?.device_tasks().list_tasks(ListTasksRequest::default()).await
    };
    runtime.block_on(async {
        list().await.unwrap();
        let (fault, mut hold) = Fault::hold();
        (0..CALLS).for_each(|_| emulator.faults().push_for("ListTasks", fault.clone()));
        let calls = futures_util::future::join_all((0..CALLS).map(|_| list()));
        let stopping = async {
            hold.arrived(CALLS).await;
            let channel = Channel::from_shared(serving.endpoint.clone()).unwrap();
            let mut health = HealthClient::new(channel.connect().await.unwrap());
            let service = "tenants/default".to_owned();
            let watch = health.watch(HealthCheckRequest { service }).await;
            let mut watch = watch.unwrap().into_inner();
            let mut next = async || watch.message().await.map(|message| message.unwrap().status());
            assert_eq!(next().await.unwrap(), ServingStatus::Serving);
            serving.signal("-TERM");
            assert_eq!(next().await.unwrap(), ServingStatus::NotServing);
            assert_eq!(next().await.unwrap_err().code(), Code::Unavailable);
            let refused = list().await.unwrap_err();
            assert!(!refused.may_have_executed(), "{refused}");
            hold.release();
        };
        let (answers, ()) = tokio::join!(calls, stopping);
        answers.into_iter().for_each(|answer| drop(answer.unwrap()));
    });
    // Before its time to drain is up, since nothing is left to wait for.
    let began = Instant::now();
    assert_eq!(serving.ended().ok(), "");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

/// Sends a call as a program without this crate does, in a trace, and returns the head and the body of the answer.
fn traced(endpoint: &str) -> String {
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /v1/device_tasks?pageSize=1 HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TOKEN}\r\n\
         traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let answer = std::io::read_to_string(stream).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

#[test]
fn a_log_in_json_has_the_trace_and_no_secret() {
    let runtime = Runtime::new().unwrap();
    let emulator = upstream(&runtime);
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    let endpoint = emulator.endpoint();
    let config = format!(
        "listen = \"127.0.0.1:0\"\noperations = \"127.0.0.1:0\"\n[tenants.acme]\nendpoint = {endpoint:?}\n\
         token_env = \"ACME_TOKEN\"\n[callers.soar]\ntoken_sha256 = {HASH:?}\ntenants = [\"acme\"]\n"
    );
    fs::write(&path, config).unwrap();
    let mut command =
        command(&["-v", "--log-format", "json", "serve", "--config", path.to_str().unwrap()]);
    command.env("ACME_TOKEN", "hunter2");
    let serving = Serving::start(command);
    emulator.faults().push(Fault::code(Code::Unavailable));
    traced(&serving.endpoint);
    serving.list("rest", "hunter2-unknown").fails(5);
    fs::write(&path, "tenants = 1").unwrap();
    serving.signal("-HUP");
    // Signals are not queued: the next could be seen first.
    traced(&serving.endpoint);
    let ran = serving.stop("-TERM");
    assert!(!ran.err.contains(TOKEN) && !ran.err.contains("hunter2"), "{}", ran.err);
    let lines: Vec<Value> =
        ran.err.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let said = |text: &str| {
        let found = lines.iter().find(|line| {
            line["fields"]["message"].as_str().is_some_and(|message| message.contains(text))
        });
        found.unwrap_or_else(|| panic!("{text}: {}", ran.err))
    };
    said("operations at http://");
    let call = said("a call ended");
    assert_eq!((&call["fields"]["trace_id"], &call["level"]), (&TRACE.into(), &"INFO".into()));
    assert_eq!(
        (&call["fields"]["caller"], &call["fields"]["tenant"], &call["fields"]["attempts"]),
        (&"soar".into(), &"acme".into(), &2.into())
    );
    let ended: Vec<_> = lines
        .iter()
        .map(|line| &line["fields"])
        .filter(|fields| fields["message"] == "a call ended")
        .map(|fields| (fields["rpc.response.status_code"].as_str().unwrap(), fields.get("caller")))
        .collect();
    let soar = "soar".into();
    assert_eq!(ended, [("OK", Some(&soar)), ("UNAUTHENTICATED", None), ("OK", Some(&soar))]);
    let retry = lines
        .iter()
        .find(|line| line["target"] == "eset_protect::call" && line["spans"].is_array());
    let spans = retry.unwrap()["spans"].as_array().unwrap();
    assert!(
        spans.iter().any(|span| span["trace_id"] == TRACE && span["eset_protect.tenant"] == "acme")
    );
}
