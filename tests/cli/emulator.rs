//! `eset-protect emulator`.

use crate::command::run;

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
fn an_origin_that_is_none_is_told() {
    let error = run(&["emulator", "--allow-origin", "console.example"], b"").fails(2);
    assert!(error.contains("--allow-origin") && error.contains("`console.example`"), "{error}");
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
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::process::Command;

    use eset_protect::automation::v1::{CreateTaskResponse, DeviceTask};

    use crate::command::{Ran, Serving, command, run, run_command};
    use crate::support::directory::Directory;

    fn start(args: &[&str]) -> Serving {
        Serving::start(command(&[&["emulator", "--listen", "127.0.0.1:0"], args].concat()))
    }

    /// Does the same and reads the whole banner.
    fn start_with_banner(args: &[&str], environment: &[(&str, &str)]) -> Serving {
        let mut command = command(&[&["emulator", "--listen", "127.0.0.1:0"], args].concat());
        command.envs(environment.iter().copied());
        // The curl example comes last.
        Serving::start_and_read(command, |line| line.ends_with("/v1/device_tasks"))
    }

    impl Serving {
        fn run(&self, args: &[&str]) -> Ran {
            let args = [args, &["--endpoint", &self.endpoint, "--output", "json"]].concat();
            run_command(command(&args), b"")
        }
    }

    #[test]
    fn it_keeps_its_data_over_a_restart_and_ends_gracefully() {
        let directory = Directory::new();
        let made = directory.join("made");
        let path = made.to_str().unwrap();
        let emulator = start(&["--no-auth", "--data-dir", path]);
        let created: CreateTaskResponse = emulator
            .run(&[
                "tasks",
                "create",
                "--name",
                "Kept",
                "--action",
                "StopManaging",
                "--device",
                crate::command::DEVICE,
            ])
            .json();
        let error = run(&["emulator", "--listen", "127.0.0.1:0", "--data-dir", path], b"").fails(1);
        assert!(error.contains("is in use by another emulator"), "{error}");
        assert_eq!(emulator.stop("-TERM").ok(), "");

        let emulator = start(&["--no-auth", "--data-dir", path]);
        let tasks: Vec<DeviceTask> = emulator.run(&["tasks", "list"]).json_lines();
        assert_eq!(tasks, [created.task.unwrap()]);
        assert_eq!(emulator.stop("-INT").ok(), "");
    }

    #[test]
    fn limits_and_browsers_are_by_option() {
        let ask = |emulator: &Serving, head: &str| {
            let address = emulator.endpoint.strip_prefix("http://").unwrap();
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "{head}\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let browser = "GET /v1/device_tasks HTTP/1.1\r\norigin: https://console.example";
        let head = "HEAD /v1/device_tasks HTTP/1.1";
        let with = start(&[
            "--no-auth",
            "--rate-limit",
            "--head",
            "--allow-origin",
            "https://console.example",
        ]);
        assert!(ask(&with, head).starts_with("HTTP/1.1 200"));
        let answer = ask(&with, browser);
        assert!(
            answer.contains("access-control-allow-origin: https://console.example"),
            "{answer}"
        );
        let statuses: Vec<_> = (0..50).map(|_| ask(&with, browser)).collect();
        assert!(statuses.iter().any(|answer| answer.starts_with("HTTP/1.1 429")));
        assert_eq!(with.stop("-TERM").ok(), "");
        let without = start(&["--no-auth"]);
        assert!(ask(&without, head).starts_with("HTTP/1.1 405"));
        let refused = ask(&without, browser);
        assert!(refused.starts_with("HTTP/1.1 403") && !refused.contains("access-control"));
        let get = "GET /v1/device_tasks HTTP/1.1";
        let statuses: Vec<_> = (0..50).map(|_| ask(&without, get)).collect();
        assert!(statuses.iter().all(|answer| answer.starts_with("HTTP/1.1 200")));
        assert_eq!(without.stop("-TERM").ok(), "");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn it_says_on_standard_error_that_no_descriptors_are_left() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n 40; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_eset-protect")]);
        shell.args(["emulator", "--listen", "127.0.0.1:0", "--no-auth"]);
        let emulator = Serving::start(shell);
        let address = emulator.endpoint.strip_prefix("http://").unwrap();
        let idle: Vec<_> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert_eq!(emulator.run(&["tasks", "list"]).ok(), "");
        drop(idle);
        let ran = emulator.stop("-TERM");
        assert_eq!(ran.code, 0);
        assert!(ran.err.contains("new connections wait"), "{}", ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }

    #[test]
    fn seed_gives_a_company() {
        let emulator = start(&["--no-auth", "--seed"]);
        assert!(emulator.run(&["tasks", "list"]).json_lines::<DeviceTask>().len() > 100);
        assert_eq!(emulator.stop("-TERM").ok(), "");
    }

    /// All callers are served, whatever happens to the log.
    #[test]
    fn a_log_that_nobody_reads_resets_no_caller() {
        for is_closed in [true, false] {
            let mut emulator = start(&["--no-auth", "--seed", "-vvv"]);
            let stderr = emulator.process().stderr.take().filter(|_| !is_closed);
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

    /// Runs the examples of the banner in a shell, as a user would.
    fn try_examples(emulator: &Serving, environment: &[(&str, &str)]) {
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
            return crate::support::skip::skipped("there is no `curl` for its examples");
        }
        let out = shell(&examples("Without this command:")).ok();
        assert!(out.starts_with("{\"tasks\":[{"), "{out}");
    }

    #[test]
    fn the_account_is_api_if_nobody_says_another() {
        let emulator = start_with_banner(&["--seed"], &[]);
        let banner = &emulator.banner;
        assert!(banner.contains("gRPC, gRPC-Web and REST"), "{banner}");
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
        let emulator = start_with_banner(&args, &environment);
        assert!(!emulator.banner.contains("geheim"), "{}", emulator.banner);
        try_examples(&emulator, &environment);
        assert_eq!(emulator.stop("-TERM").ok(), "");
    }

    #[test]
    fn nobody_needs_to_log_in_if_so_said() {
        let emulator = start_with_banner(&["--seed", "--no-auth"], &[]);
        assert!(emulator.banner.contains("No login is required."), "{}", emulator.banner);
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
