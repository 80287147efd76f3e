//! Runs the command, and an emulator for it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use eset_protect::emulator::{Builder, Emulator, Running};
use serde::de::DeserializeOwned;
use tokio::runtime::{self, Runtime};

pub const DEVICE: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40101";
pub const GROUP: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0001";

/// Returns the command without environment variables that would change its behaviour.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eset-protect"));
    command.args(args);
    for (name, _) in std::env::vars() {
        if name.starts_with("ESET_PROTECT_") {
            command.env_remove(name);
        }
    }
    for name in ["CARGO", "NO_COLOR", "COLUMNS", "ESET_PROFILE"] {
        command.env_remove(name);
    }
    // No profile of whoever runs the tests.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    // Fails at once. The library's tests cover retries.
    command.env("ESET_PROTECT_MAX_ATTEMPTS", "1");
    command
}

/// The result of a run of the command.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: Vec<u8>,
    pub err: String,
}

impl Ran {
    /// Returns the output of a run that must have succeeded without output on standard error.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!((self.code, &*self.err), (0, ""), "{}", String::from_utf8_lossy(&self.out));
        String::from_utf8(self.out).unwrap()
    }

    /// Returns the printed message.
    #[track_caller]
    pub fn json<M: DeserializeOwned>(self) -> M {
        let out = self.ok();
        assert!(out.ends_with('\n') && out.lines().count() == 1, "one line: {out}");
        serde_json::from_str(&out).unwrap()
    }

    /// Returns the printed messages, one per line.
    #[track_caller]
    pub fn json_lines<M: DeserializeOwned>(self) -> Vec<M> {
        self.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the errors of a run that must have failed with this code and printed nothing else.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}", self.err);
        assert_eq!(String::from_utf8_lossy(&self.out), "");
        assert!(self.err.starts_with("error: "), "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: output.stdout,
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the command with this standard input.
pub fn run(args: &[&str], input: &[u8]) -> Ran {
    run_command(command(args), input)
}

pub fn run_command(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A command that does not read its input closes it.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap().into()
    })
}

/// Runs a line of a shell at a terminal, which `script` provides; in the line, `BIN` is the command. `None` without
/// `script`.
#[cfg(target_os = "linux")]
pub fn at_terminal(line: &str, endpoint: Option<&str>, typed: &[u8]) -> Option<(i32, String)> {
    if Command::new("script").arg("--version").output().is_err() {
        crate::support::skip::skipped("there is no `script`, and so no terminal");
        return None;
    }
    let mut script = Command::new("script");
    let line = line.replace("BIN", env!("CARGO_BIN_EXE_eset-protect"));
    script.args(["-qec", &line, "/dev/null"]);
    for (name, value) in command(&[]).get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.envs(endpoint.map(|endpoint| ("ESET_PROTECT_ENDPOINT", endpoint)));
    let ran = run_command(script, typed);
    Some((ran.code, String::from_utf8(ran.out).unwrap()))
}

/// A command that serves. It ends with the test, also if that fails.
pub struct Serving {
    child: Option<Child>,
    pub endpoint: String,
    /// What it prints until the line that was waited for.
    pub banner: String,
}

impl Serving {
    /// Starts it, and waits for the first line.
    pub fn start(command: Command) -> Self {
        Self::start_and_read(command, |_| true)
    }

    /// Starts it, and waits for a line of its output.
    pub fn start_and_read(mut command: Command, is_last: impl Fn(&str) -> bool) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut serving = Self {
            child: Some(command.spawn().unwrap()),
            endpoint: String::new(),
            banner: String::new(),
        };
        // The pipe is closed after the last line, as by a script's `head -1`.
        for line in BufReader::new(serving.process().stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            serving.banner.push_str(&format!("{line}\n"));
            if is_last(&line) {
                break;
            }
        }
        let first =
            serving.banner.lines().next().and_then(|line| line.strip_prefix("Listening on "));
        serving.endpoint = first.expect(&serving.banner).to_owned();
        serving
    }

    pub fn process(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Stops it as a service manager does.
    pub fn stop(self, signal: &str) -> Ran {
        self.signal(signal);
        self.ended()
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Ran {
        self.child.take().unwrap().wait_with_output().unwrap().into()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// An emulator in this process.
pub struct Server {
    running: Option<Running>,
    runtime: Runtime,
    pub endpoint: String,
}

impl Server {
    pub fn seeded() -> Self {
        Self::start(Emulator::builder().seed(true))
    }

    pub fn empty() -> Self {
        Self::start(Emulator::builder())
    }

    pub fn start(builder: Builder) -> Self {
        let runtime = runtime();
        let running = runtime.block_on(builder.build().unwrap().start()).unwrap();
        let endpoint = running.endpoint();
        Self { running: Some(running), runtime, endpoint }
    }

    /// Runs the command against it.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, b"")
    }

    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        run_command(self.command(args), input)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command.env("ESET_PROTECT_ENDPOINT", &self.endpoint);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.shutdown());
        }
    }
}

pub fn runtime() -> Runtime {
    runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}
