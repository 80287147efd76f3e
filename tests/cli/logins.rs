//! Logins from the environment, a file or a prompt, without any secret in the output.

use std::path::{Path, PathBuf};
use std::process::Command;

use eset_protect::emulator::{Auth, Emulator};

use crate::command::{Ran, Server, run_command};
use crate::support::directory::Directory;

const PASSWORD: &str = "geheim=\"x\" & 9%";

fn server() -> Server {
    Server::start(Emulator::builder().seed(true).auth(Auth::new().account("shop", PASSWORD)))
}

/// Runs the command and checks that the output contains no secret.
#[track_caller]
fn run(mut command: Command, environment: &[(&str, &str)]) -> Ran {
    command.envs(environment.iter().copied());
    let ran = run_command(command, b"");
    let out = String::from_utf8_lossy(&ran.out);
    for text in [&*out, &ran.err] {
        assert!(!text.contains("geheim"), "{text}");
    }
    ran
}

const WIRES: [&str; 3] = ["grpc", "rest", "auto"];

fn list(server: &Server, wire: &str) -> Command {
    server.command(&["tasks", "list", "--wire", wire])
}

#[cfg(unix)]
fn write(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn write(path: &Path, text: &str, _mode: u32) {
    std::fs::write(path, text).unwrap();
}

/// A file with a login.
struct LoginFile {
    path: PathBuf,
    /// Keeps the file.
    _directory: Directory,
}

impl LoginFile {
    fn new(text: &str, mode: u32) -> Self {
        let directory = Directory::new();
        let path = directory.join("login");
        write(&path, text, mode);
        Self { path, _directory: directory }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

#[test]
fn from_the_environment() {
    let server = server();
    let login = [("ESET_PROTECT_USERNAME", "shop"), ("ESET_PROTECT_PASSWORD", PASSWORD)];
    for wire in WIRES {
        assert!(run(list(&server, wire), &login).ok().starts_with("UUID"), "{wire}");
    }
    // The user name is not secret.
    let mut command = list(&server, "grpc");
    command.args(["--username", "shop"]);
    assert!(run(command, &login[1..]).ok().starts_with("UUID"));
    // With another token endpoint.
    let url = format!("{}/oauth/token", server.endpoint);
    let elsewhere = [&login[..], &[("ESET_PROTECT_TOKEN_URL", &url)]].concat();
    assert!(run(list(&server, "grpc"), &elsewhere).ok().starts_with("UUID"));
    let url = format!("{}/geheim/token", server.endpoint);
    let nowhere = [&login[..], &[("ESET_PROTECT_TOKEN_URL", &url)]].concat();
    let error = run(list(&server, "grpc"), &nowhere).fails(5);
    assert!(
        error.contains("  HTTP 404") && error.contains("hint: there is no token endpoint"),
        "{error}"
    );
}

#[test]
fn wrong_ones_are_refused() {
    let server = server();
    for wire in WIRES {
        let login = [("ESET_PROTECT_USERNAME", "shop"), ("ESET_PROTECT_PASSWORD", "geheim2")];
        let error = run(list(&server, wire), &login).fails(5);
        assert!(error.contains("UNAUTHENTICATED: the login was refused: "), "{error}");
        assert!(error.contains("  HTTP 400, from which UNAUTHENTICATED is inferred\n"), "{error}");
        assert!(error.contains("  request-id ") && error.contains("check the login"), "{error}");

        let error = run(list(&server, wire), &[("ESET_PROTECT_TOKEN", "geheim3")]).fails(5);
        assert!(error.contains("ListTasks: UNAUTHENTICATED: "), "{error}");
        let error = run(list(&server, wire), &[]).fails(5);
        assert!(error.contains("that server wants a login: set ESET_PROTECT_USERNAME"), "{error}");
    }
    let mut command = crate::command::command(&["tasks", "list", "--on-prem", &server.endpoint]);
    command.args(["--username", "shop"]);
    let error = run(command, &[("ESET_PROTECT_PASSWORD", "geheim2")]).fails(5);
    assert!(error.contains("the login was refused: ") && error.contains("HTTP 401"), "{error}");
}

#[test]
fn from_a_file() {
    let server = server();
    let text = format!("# The shop's\r\nusername=shop\r\n\r\npassword={PASSWORD}\r\n");
    let file = LoginFile::new(&text, 0o600);
    let path = file.path();
    for wire in WIRES {
        let mut command = list(&server, wire);
        command.args(["--credentials", path]);
        assert!(run(command, &[]).ok().starts_with("UUID"), "{wire}");
        let environment = [("ESET_PROTECT_CREDENTIALS", path)];
        assert!(run(list(&server, wire), &environment).ok().starts_with("UUID"), "{wire}");
    }
    // The flag takes precedence over the environment.
    let mut command = list(&server, "rest");
    command.args(["--credentials", path]);
    assert!(run(command, &[("ESET_PROTECT_TOKEN", "geheim")]).ok().starts_with("UUID"));
    let file = LoginFile::new("token=geheim", 0o600);
    let environment = [("ESET_PROTECT_CREDENTIALS", file.path())];
    run(list(&server, "rest"), &environment).fails(5);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_refused() {
    let server = server();
    use std::os::unix::fs::MetadataExt;
    let is_of_root = std::fs::metadata(LoginFile::new("", 0o600).path()).unwrap().uid() == 0;
    let advice = if is_of_root { "`chmod 640` keeps" } else { "`chmod 600` keeps" };
    // The group may read a file of root's, as Kubernetes makes them for `fsGroup`.
    for mode in [0o644, 0o640, 0o440, 0o604, 0o660, 0o622] {
        let file = LoginFile::new(&format!("username=shop\npassword={PASSWORD}"), mode);
        if is_of_root && matches!(mode, 0o640 | 0o440) {
            let mut command = list(&server, "grpc");
            command.arg("--credentials").arg(file.path());
            run(command, &[]).ok();
            continue;
        }
        let mut command = list(&server, "grpc");
        command.arg("--credentials").arg(file.path());
        let error = run(command, &[]).fails(2);
        let expected = format!(
            "--credentials {}: others can read or write it (its mode is {mode:o}); {advice}",
            file.path()
        );
        assert!(error.contains(&expected), "{error}");
    }
    let file = LoginFile::new(&format!("username=shop\npassword={PASSWORD}"), 0o400);
    let mut command = list(&server, "grpc");
    command.arg("--credentials").arg(file.path());
    run(command, &[]).ok();
}

#[test]
fn files_that_are_wrong_show_no_line() {
    let server = server();
    for (text, expected) in [
        ("", "expected username=… and password=…, or token=… alone"),
        ("username=shop", "expected username=… and password=…"),
        ("password=geheim", "expected username=… and password=…"),
        ("username=shop\npassword=geheim\ntoken=geheim", "or token=… alone"),
        ("geheim", "line 1: expected username=…, password=… or token=…"),
        ("# x\ngeheim=geheim", "line 2: expected username=…"),
        ("password =geheim", "line 1: expected username=…"),
        ("token=", "line 1: token is empty"),
        ("token=geheim\ntoken=geheim", "line 2: token appears twice"),
    ] {
        let file = LoginFile::new(text, 0o600);
        let mut command = list(&server, "grpc");
        command.arg("--credentials").arg(file.path());
        let error = run(command, &[]).fails(2);
        assert!(error.contains("--credentials ") && error.contains(expected), "{text:?}: {error}");
    }
    let file = LoginFile::new(&format!("token={}", "geheim".repeat(20_000)), 0o600);
    let environment = [("ESET_PROTECT_CREDENTIALS", file.path())];
    let error = run(list(&server, "grpc"), &environment).fails(2);
    assert!(error.contains("ESET_PROTECT_CREDENTIALS ") && error.contains("64 KiB"), "{error}");
    let error = run(list(&server, "grpc"), &[("ESET_PROTECT_CREDENTIALS", "/no/such")]).fails(2);
    assert!(error.contains("ESET_PROTECT_CREDENTIALS /no/such: "), "{error}");
}

#[test]
fn contradictions_and_halves_are_told() {
    let server = server();
    let all = [
        ("ESET_PROTECT_USERNAME", "shop"),
        ("ESET_PROTECT_PASSWORD", PASSWORD),
        ("ESET_PROTECT_TOKEN", "geheim"),
    ];
    let error = run(list(&server, "grpc"), &all).fails(2);
    assert!(
        error.contains("ESET_PROTECT_TOKEN, ESET_PROTECT_USERNAME: expected only one"),
        "{error}"
    );
    let error = run(list(&server, "grpc"), &all[1..2]).fails(2);
    assert!(error.contains("ESET_PROTECT_USERNAME: expected the user whose password"), "{error}");
    // There is no terminal here.
    let error = run(list(&server, "grpc"), &all[..1]).fails(5);
    assert!(
        error.contains("no password of \"shop\" is given, and there is no terminal"),
        "{error}"
    );
    // A password for another user is not used.
    let mut command = list(&server, "grpc");
    command.args(["--username", "other"]);
    let error = run(command, &all[..2]).fails(5);
    assert!(error.contains("no password of \"other\" is given"), "{error}");
    for target in [&["--region", "eu"], &["--on-prem", "https://127.0.0.1:9443"]] {
        let command = crate::command::command(&[&["tasks", "list"], &target[..]].concat());
        let error = run(command, &[]).fails(5);
        assert!(error.contains("no login is given, and there is no terminal"), "{error}");
    }
    let mut command = list(&server, "grpc");
    command.args(["--username", "shop", "--credentials", "x"]);
    assert!(run(command, &[]).fails(2).contains("--credentials, --username: expected only one"));
    let mut command = list(&server, "grpc");
    command.args(["--username", ""]);
    assert!(run(command, &[]).fails(2).contains("--username: expected a value"));
}

/// Secrets are never arguments; if one is passed anyway, it is not repeated.
#[test]
fn arguments_hold_no_secrets() {
    for args in [
        &["--password", "geheim"][..],
        &["--password=geheim"],
        &["--token", "geheim"],
        &["--token=geheim"],
        &["--token-url", "geheim"],
        &["--token-url", "https://shop:geheim@x/"],
        &["--token-url", "https://shop:ge heim geheim@x/"],
        &["--on-prem", "https://shop:geheim@x"],
    ] {
        let command = crate::command::command(&[&["tasks", "list"], args].concat());
        run(command, &[("ESET_PROTECT_TOKEN", "geheim")]).fails(2);
    }
    for command in ["tasks", "policies", "assignments"] {
        let command = crate::command::command(&[command, "--help"]);
        let environment = [
            ("ESET_PROTECT_TOKEN", "geheim"),
            ("ESET_PROTECT_PASSWORD", "geheim"),
            ("ESET_PROTECT_TOKEN_URL", "https://geheim"),
            ("ESET_PROTECT_ENDPOINT", "https://geheim"),
        ];
        let help = run(command, &environment).ok();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for name in
            ["CREDENTIALS", "USERNAME", "TOKEN_URL", "REGION", "ON_PREM", "WIRE", "PIN_CERT"]
        {
            assert!(help.contains(&format!("[env: ESET_PROTECT_{name}")), "{name}: {help}");
        }
    }
}

/// Passwords and tokens require TLS or the local machine.
#[test]
fn nothing_secret_travels_in_the_clear() {
    for (target, environment) in [
        (["--endpoint", "http://192.0.2.1"], &[("ESET_PROTECT_TOKEN", "geheim")][..]),
        (["--on-prem", "http://192.0.2.1"], &[("ESET_PROTECT_TOKEN", "geheim")]),
        (
            ["--on-prem", "http://192.0.2.1"],
            &[("ESET_PROTECT_USERNAME", "shop"), ("ESET_PROTECT_PASSWORD", PASSWORD)],
        ),
        (
            ["--endpoint", "http://192.0.2.1"],
            &[("ESET_PROTECT_USERNAME", "shop"), ("ESET_PROTECT_PASSWORD", PASSWORD)],
        ),
    ] {
        let command = crate::command::command(&[&["tasks", "list"], &target[..]].concat());
        let error = run(command, environment).fails(2);
        assert!(error.contains("by https only"), "{error}");
    }
}

/// Uses `script` to give the command a terminal. Machines without it skip the prompt.
#[cfg(target_os = "linux")]
#[test]
fn by_a_prompt_where_there_is_script() {
    use std::io::{Read, Write};
    use std::process::Stdio;

    if Command::new("script").arg("--version").output().is_err() {
        return crate::support::skip::skipped("there is no `script`, and so no terminal");
    }
    let server = server();
    let directory = Directory::new();
    let home = directory.join("").display().to_string();
    let answered = |args: &str, dialogue: &[(&str, &str)]| {
        // The terminal first prints its name, to query whether it echoes.
        let program = env!("CARGO_BIN_EXE_eset-protect");
        let line = format!("tty; PATH=/nonexistent XDG_CONFIG_HOME={home} {program} {args}");
        let mut command = server.command(&[]);
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        for (name, value) in command.env("TERM", "dumb").get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let mut child = script.spawn().unwrap();
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut said = Vec::new();
        for (prompt, answer) in dialogue {
            while !String::from_utf8_lossy(&said).ends_with(prompt) {
                let mut byte = [0];
                assert_eq!(
                    output.read(&mut byte).unwrap(),
                    1,
                    "{}",
                    String::from_utf8_lossy(&said)
                );
                said.push(byte[0]);
            }
            if prompt.starts_with("Password") {
                wait_for_no_echo(String::from_utf8_lossy(&said).lines().next().unwrap_or_default());
            }
            input.write_all(format!("{answer}\n").as_bytes()).unwrap();
        }
        output.read_to_end(&mut said).unwrap();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("geheim"), "{said}");
        (child.wait().unwrap().code(), said)
    };
    let password = ("Password of shop: ", PASSWORD);
    let (code, said) = answered("tasks list --username shop", &[password]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("UUID"), "{said}");
    let on_prem = format!("tasks list --on-prem {}", server.endpoint);
    let (code, said) = answered(&on_prem, &[("Username: ", "shop"), password]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = answered("tasks list --username shop", &[("Password of shop: ", "geheim2")]);
    assert_eq!(code, Some(5), "{said}");
    let (code, said) = answered("tasks list --username shop", &[("Password of shop: ", "")]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("no password was given"), "{said}");
    // Without a keyring, the next command has no password.
    let login = format!("auth login --endpoint {} --username shop", server.endpoint);
    let (code, said) = answered(&login, &[password]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("the password is not kept: set ESET_PROTECT_PASSWORD"), "{said}");
    assert!(directory.join("eset-protect/config.toml").is_file());
}

/// Waits until a terminal does not echo, which is turned off only after the prompt.
fn wait_for_no_echo(terminal: &str) {
    for _ in 0..10_000 {
        let settings = Command::new("stty").args(["-a", "-F", terminal.trim()]).output().unwrap();
        if String::from_utf8_lossy(&settings.stdout).contains("-echo ") {
            return;
        }
    }
    panic!("{terminal} still echoes");
}
