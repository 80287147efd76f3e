//! `eset-protect emulator`.

use crate::support::run;

#[test]
fn other_machines_need_a_flag() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:50051"] {
        let error = run(&["emulator", "--listen", address], b"").fails(2);
        assert!(error.contains(address) && error.contains("--allow-remote"), "{error}");
    }
    for address in ["50051", "localhost", "127.0.0.1:70000", ""] {
        let error = run(&["emulator", "--listen", address], b"").fails(2);
        assert!(error.contains("expected an IP address and a port"), "{error}");
    }
}

#[test]
fn a_port_in_use_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let error = run(&["emulator", "--listen", &address], b"").fails(1);
    assert!(error.contains(&format!("--listen {address}: ")), "{error}");
}

#[cfg(unix)]
mod served {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use eset_protect::automation::v1::{CreateTaskResponse, DeviceTask};

    use crate::directory::Directory;
    use crate::support::{Ran, command, run, run_command};

    struct Emulator {
        child: Child,
        endpoint: String,
        banner: String,
    }

    impl Emulator {
        fn start(args: &[&str]) -> Self {
            let mut child = command(&[&["emulator", "--listen", "127.0.0.1:0"], args].concat())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            // The pipe is closed after the first line, as a script's `head -1` does.
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            let endpoint = line.trim().strip_prefix("Listening on ").unwrap().to_owned();
            Self { child, endpoint, banner: String::new() }
        }

        /// The same, and everything that it says at its start.
        fn start_and_read(args: &[&str], environment: &[(&str, &str)]) -> Self {
            let mut command = command(&[&["emulator", "--listen", "127.0.0.1:0"], args].concat());
            let mut child = command
                .envs(environment.iter().copied())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let mut banner = String::new();
            // What curl gets is last.
            while !banner.lines().last().is_some_and(|line| line.ends_with("/v1/device_tasks")) {
                banner.push_str(&lines.next().unwrap().unwrap());
                banner.push('\n');
            }
            let first = banner.lines().next().unwrap();
            let endpoint = first.strip_prefix("Listening on ").unwrap().to_owned();
            Self { child, endpoint, banner }
        }

        fn run(&self, args: &[&str]) -> Ran {
            let args = [args, &["--endpoint", &self.endpoint, "--output", "json"]].concat();
            run_command(command(&args), b"")
        }

        /// Ends it as a service manager does.
        fn stop(self, signal: &str) -> Ran {
            let pid = self.child.id().to_string();
            assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
            self.child.wait_with_output().unwrap().into()
        }
    }

    #[test]
    fn it_keeps_its_data_over_a_restart_and_ends_gracefully() {
        let directory = Directory::new();
        let made = directory.join("made");
        let path = made.to_str().unwrap();
        let emulator = Emulator::start(&["--no-auth", "--data-dir", path]);
        let created: CreateTaskResponse = emulator
            .run(&[
                "tasks",
                "create",
                "--name",
                "Kept",
                "--action",
                "StopManaging",
                "--device",
                "d",
            ])
            .json();
        let error = run(&["emulator", "--listen", "127.0.0.1:0", "--data-dir", path], b"").fails(1);
        assert!(error.contains("is in use by another emulator"), "{error}");
        assert_eq!(emulator.stop("-TERM").ok(), "");

        let emulator = Emulator::start(&["--no-auth", "--data-dir", path]);
        let tasks: Vec<DeviceTask> = emulator.run(&["tasks", "list"]).json_lines();
        assert_eq!(tasks, [created.task.unwrap()]);
        assert_eq!(emulator.stop("-INT").ok(), "");
    }

    #[test]
    fn seed_gives_a_company() {
        let emulator = Emulator::start(&["--no-auth", "--seed"]);
        assert!(emulator.run(&["tasks", "list"]).json_lines::<DeviceTask>().len() > 100);
        assert_eq!(emulator.stop("-TERM").ok(), "");
    }

    /// Everybody is served, whatever becomes of its log.
    #[test]
    fn a_log_that_nobody_reads_resets_no_caller() {
        for is_closed in [true, false] {
            let mut emulator = Emulator::start(&["--no-auth", "--seed", "-vvv"]);
            let stderr = emulator.child.stderr.take().filter(|_| !is_closed);
            for wire in ["grpc", "rest"] {
                for _ in 0..3 {
                    let list = ["tasks", "list", "--page-size", "10", "--wire", wire];
                    assert!(emulator.run(&list).json_lines::<DeviceTask>().len() > 100);
                }
            }
            assert_eq!(emulator.stop("-TERM").code, 0);
            drop(stderr);
        }
    }

    /// Runs the examples of the banner in a shell, as a person would.
    fn try_examples(emulator: &Emulator, environment: &[(&str, &str)]) {
        let shell = |lines: &[&str]| {
            let mut shell = Command::new("sh");
            for (name, value) in command(&[]).get_envs() {
                match value {
                    Some(value) => shell.env(name, value),
                    None => shell.env_remove(name),
                };
            }
            let program = std::path::Path::new(env!("CARGO_BIN_EXE_eset-protect"));
            let path = std::env::var("PATH").unwrap_or_default();
            shell.env("PATH", format!("{}:{path}", program.parent().unwrap().display()));
            shell.envs(environment.iter().copied()).arg("-ec").arg(lines.join("\n"));
            run_command(shell, b"")
        };
        let examples = |from: &str| -> Vec<&str> {
            let (_, rest) = emulator.banner.split_once(from).unwrap();
            rest.lines().skip(1).map_while(|line| line.strip_prefix("  ")).collect()
        };
        let ours = examples("Try in another terminal:");
        assert!(ours.len() > 3, "{}", emulator.banner);
        let out = shell(&ours).ok();
        assert!(out.contains("UUID") && out.contains("ShutdownComputer"), "{out}");
        assert!(out.contains("\"displayName\":"), "{out}");
        if Command::new("curl").arg("--version").output().is_err() {
            return crate::skip::skipped("there is no `curl` for its examples");
        }
        let out = shell(&examples("Without this command:")).ok();
        assert!(out.starts_with("{\"tasks\":[{"), "{out}");
    }

    #[test]
    fn the_account_is_api_if_nobody_says_another() {
        let emulator = Emulator::start_and_read(&["--seed"], &[]);
        let banner = &emulator.banner;
        assert!(banner.contains("gRPC and REST"), "{banner}");
        assert!(banner.contains("Log in as api with the password api."), "{banner}");
        try_examples(&emulator, &[]);
        let error = emulator.run(&["tasks", "list"]).fails(5);
        assert!(error.contains("UNAUTHENTICATED"), "{error}");
        assert_eq!(emulator.stop("-TERM").ok(), "");
    }

    #[test]
    fn an_account_of_ones_own_is_not_printed_with_its_password() {
        let environment = [("ESET_PROTECT_EMULATOR_PASSWORD", "geheim & 9%\"'$x")];
        let args = ["--seed", "--account", "the shop's"];
        let emulator = Emulator::start_and_read(&args, &environment);
        assert!(!emulator.banner.contains("geheim"), "{}", emulator.banner);
        try_examples(&emulator, &environment);
        assert_eq!(emulator.stop("-TERM").ok(), "");
    }

    #[test]
    fn nobody_needs_to_log_in_if_so_said() {
        let emulator = Emulator::start_and_read(&["--seed", "--no-auth"], &[]);
        assert!(emulator.banner.contains("Nobody needs to log in."), "{}", emulator.banner);
        try_examples(&emulator, &[]);
        assert_eq!(emulator.stop("-TERM").ok(), "");
    }

    #[test]
    fn accounts_that_are_wrong() {
        let error = run(&["emulator", "--account", "shop"], b"").fails(2);
        assert!(
            error.contains("--account shop: expected its password in ESET_PROTECT_"),
            "{error}"
        );
        let error = run(&["emulator", "--account", "shop", "--no-auth"], b"").fails(2);
        assert!(error.contains("cannot be used with"), "{error}");
    }
}
