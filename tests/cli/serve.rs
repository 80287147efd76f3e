//! `eset-protect serve`.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command};

use eset_protect::automation::v1::DeviceTask;
use eset_protect::emulator::{Emulator, Running};
use tokio::runtime::Runtime;

use crate::command::{Ran, command, listening, run, run_command};
use crate::support::directory::Directory;

const TOKEN: &str = "correct horse battery staple";
const HASH: &str = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";

fn upstream(runtime: &Runtime) -> Running {
    runtime
        .block_on(async { Emulator::builder().seed(true).build().unwrap().start().await.unwrap() })
}

struct Serving {
    child: Child,
    endpoint: String,
}

impl Serving {
    fn start(args: &[&str]) -> Self {
        let (child, endpoint) = listening(&mut command(&[&["serve"], args].concat()));
        Self { child, endpoint }
    }

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

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    fn stop(self) -> Ran {
        self.signal("-TERM");
        self.child.wait_with_output().unwrap().into()
    }
}

#[test]
fn one_upstream_serves_everybody_on_this_machine() {
    let runtime = Runtime::new().unwrap();
    let emulator = upstream(&runtime);
    let endpoint = emulator.endpoint();
    let args = ["--listen", "127.0.0.1:0", "--endpoint", &endpoint, "--wire", "rest"];
    let serving = Serving::start(&args);
    for wire in ["grpc", "rest"] {
        let tasks: Vec<DeviceTask> = serving.list(wire, "").json_lines();
        assert!(!tasks.is_empty());
    }
    assert_eq!(serving.stop().ok(), "");
    let error = run(&["serve", "--listen", "0.0.0.0:0", "--endpoint", &endpoint], b"").fails(2);
    assert!(error.contains("--listen 0.0.0.0:0: expected a loopback address"), "{error}");
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
    assert!(run(&["serve", "--config", file, "--check"], b"").ok().contains("is valid"));
    let mut serving = Serving::start(&["--config", file]);
    let mut notices = BufReader::new(serving.child.stderr.take().unwrap()).lines();
    let notice = notices.next().unwrap().unwrap();
    let (_, operations) = notice.split_once("operations at http://").unwrap();
    let tasks: Vec<DeviceTask> = serving.list("grpc", TOKEN).json_lines();
    assert!(!tasks.is_empty());
    serving.list("grpc", "").fails(5);
    let mut stream = TcpStream::connect(operations).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let metrics = std::io::read_to_string(stream).unwrap();
    assert!(metrics.contains("\nrpc_server_call_duration_seconds_bucket{"), "{metrics}");
    assert!(metrics.contains("\neset_protect_serve_calls_total{tenant=\"acme\""), "{metrics}");

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
    assert!(notice.contains("the old one goes on"), "{notice}");
    assert_eq!(audit(), "", "a new file");
    let again: Vec<DeviceTask> = serving.list("rest", TOKEN).json_lines();
    assert_eq!(again.len(), tasks.len() - 1);

    write("allow = [\"Policies/*\"]");
    serving.signal("-HUP");
    let notice = notices.next().unwrap().unwrap();
    assert!(notice.contains("reloaded"), "{notice}");
    serving.list("rest", TOKEN).fails(5);
    serving.stop();
}
