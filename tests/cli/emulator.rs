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

    use crate::support::{Ran, command, directory, run, run_command};

    struct Emulator {
        child: Child,
        endpoint: String,
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
            Self { child, endpoint }
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
        let directory = directory("emulator-data").join("made");
        let path = directory.to_str().unwrap();
        let emulator = Emulator::start(&["--data-dir", path]);
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

        let emulator = Emulator::start(&["--data-dir", path]);
        let tasks: Vec<DeviceTask> = emulator.run(&["tasks", "list"]).json_lines();
        assert_eq!(tasks, [created.task.unwrap()]);
        assert_eq!(emulator.stop("-INT").ok(), "");
    }

    #[test]
    fn seed_gives_a_company() {
        let emulator = Emulator::start(&["--seed"]);
        assert!(emulator.run(&["tasks", "list"]).json_lines::<DeviceTask>().len() > 100);
        assert_eq!(emulator.stop("-TERM").ok(), "");
    }
}
