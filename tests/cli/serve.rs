//! `eset-protect serve`.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
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
        let args =
            ["tasks", "list", "--endpoint", &self.endpoint, "--wire", wire, "--output", "json"];
        let mut command = command(&args);
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
            "listen = \"127.0.0.1:0\"\n[tenants.acme]\nendpoint = {endpoint:?}\n\
             [callers.soar]\ntoken_sha256 = {HASH:?}\ntenants = [\"acme\"]\n{rest}\n"
        );
        fs::write(&path, text).unwrap();
    };
    write("");
    assert!(run(&["serve", "--config", file, "--check"], b"").ok().contains("is valid"));
    let mut serving = Serving::start(&["--config", file]);
    let mut notices = BufReader::new(serving.child.stderr.take().unwrap()).lines();
    let tasks: Vec<DeviceTask> = serving.list("grpc", TOKEN).json_lines();
    assert!(!tasks.is_empty());
    serving.list("grpc", "").fails(5);

    write("alow = []");
    let error = run(&["serve", "--config", file, "--check"], b"").fails(2);
    assert!(
        error.contains("serve.toml:7: callers.soar.alow: unknown")
            || error.contains("serve.toml:7: alow: unknown field `alow`"),
        "{error}"
    );
    run(&["serve", "--config", file], b"").fails(2);
    serving.signal("-HUP");
    let notice = notices.next().unwrap().unwrap();
    assert!(notice.contains("the old one goes on"), "{notice}");
    let again: Vec<DeviceTask> = serving.list("rest", TOKEN).json_lines();
    assert_eq!(again.len(), tasks.len());

    write("allow = [\"Policies/*\"]");
    serving.signal("-HUP");
    let notice = notices.next().unwrap().unwrap();
    assert!(notice.contains("reloaded"), "{notice}");
    serving.list("rest", TOKEN).fails(5);
    serving.stop();
}
