//! Flags and variables: empty values, invalid values, and what the errors name.

use eset_protect::automation::v1::{CreateTaskResponse, DeviceTask};
use eset_protect::params::RunCommand;

use crate::command::{DEVICE, Ran, Server, command, run, run_command};

/// Every variable that the command reads.
const VARIABLES: [&str; 21] = [
    "CA_CERT",
    "CLIENT_CERT",
    "CLIENT_KEY",
    "CREDENTIALS",
    "ENDPOINT",
    "LOG",
    "MAX_ATTEMPTS",
    "METADATA",
    "ON_PREM",
    "PASSWORD",
    "PIN_CERT",
    "PIN_SHA256",
    "RATE",
    "REGION",
    "SERVER_NAME",
    "TENANT",
    "TIMEOUT",
    "TOKEN",
    "TOKEN_URL",
    "USERNAME",
    "WIRE",
];

#[test]
fn an_empty_variable_is_none() {
    let server = Server::empty();
    for variable in VARIABLES {
        let mut command = command(&["tasks", "list"]);
        command.env("ESET_PROTECT_ENDPOINT", &server.endpoint);
        let is_endpoint = variable == "ENDPOINT";
        command.env(format!("ESET_PROTECT_{variable}"), "");
        let ran = run_command(command, b"");
        // Without a value it is the default, where a server may listen.
        assert!(ran.code == 0 || is_endpoint && ran.code == 3, "{variable}: {}", ran.err);
    }
}

/// An error does not name the flag if the variable is wrong.
#[test]
fn an_error_in_a_variable_blames_the_variable() {
    let endpoint = "expected http://HOST:PORT or https://HOST[:PORT], found \"ftp://x\"";
    for (variable, value, expected) in [
        ("CA_CERT", "/no/such/file", " /no/such/file: "),
        ("CA_CERT", "Cargo.toml", " Cargo.toml: expected PEM, found no certificate in it\n"),
        ("PIN_CERT", "Cargo.toml", " Cargo.toml: expected PEM, found no certificate in it\n"),
        ("CREDENTIALS", "/no/such/file", " /no/such/file: "),
        ("ENDPOINT", "ftp://x", &format!(": {endpoint}")),
        ("LOG", "eset_protect=loud", ": expected a filter such as debug"),
        ("MAX_ATTEMPTS", "0", ": expected a number from 1 to 4294967295, found \"0\"\n"),
        ("METADATA", "x-team", ": expected NAME=VALUE, a header that is not the protocol's own\n"),
        ("METADATA", "content-type=x", ": expected NAME=VALUE"),
        ("METADATA", "x-bin=\u{fc}", ": expected NAME=VALUE"),
        ("ON_PREM", "ftp://x", &format!(": {endpoint}")),
        ("RATE", "fast", ": expected calls a second, from 1 to 10000"),
        ("REGION", "fr", ": expected eu, de, us, ca or jpn, found \"fr\"\n"),
        ("TENANT", "a\nb", ": expected the name of a tenant\n"),
        ("TIMEOUT", "soon", ": expected a number with a unit, such as 500ms"),
        ("TIMEOUT", "9999999999h", ": expected at most 27 hours, found"),
        ("TOKEN_URL", "x", ": expected https://HOST[:PORT]/PATH"),
        ("WIRE", "smoke", ": expected grpc, rest or auto, found \"smoke\"\n"),
    ] {
        let mut command = command(&["tasks", "list"]);
        if variable == "ON_PREM" {
            command.envs([("ESET_PROTECT_USERNAME", "a"), ("ESET_PROTECT_PASSWORD", "b")]);
        }
        let error = run_command(command_with(command, variable, value), b"").fails(2);
        let start = format!("error: ESET_PROTECT_{variable}{expected}");
        assert!(error.starts_with(&start), "{variable}: {error}");
        assert!(!error.contains("--"), "no flag is wrong: {error}");
    }
}

fn command_with(
    mut command: std::process::Command,
    variable: &str,
    value: &str,
) -> std::process::Command {
    command.env(format!("ESET_PROTECT_{variable}"), value);
    command
}

#[test]
fn an_address_is_blamed_on_its_flag() {
    for flag in ["--endpoint", "--on-prem"] {
        let mut command = command(&["tasks", "list", flag, "ftp://x"]);
        command.env("ESET_PROTECT_TOKEN", "x");
        let error = run_command(command, b"").fails(2);
        assert!(error.starts_with(&format!("error: {flag}: expected http")), "{error}");
    }
}

#[test]
fn names_are_read_in_any_case() {
    let server = Server::empty();
    let listed = |args: &[&str]| server.run(&[&["tasks", "list"], args].concat()).ok();
    assert_eq!(listed(&["--wire", "REST", "--output", "Json"]), "");
    let mut wire = server.command(&["tasks", "list", "--output", "json"]);
    wire.env("ESET_PROTECT_WIRE", "Auto");
    assert_eq!(run_command(wire, b"").ok(), "");
    let convert = ["convert", "--type", "DeviceTask", "--from", "JSON", "--to", "Json"];
    assert_eq!(run(&convert, b"{}").ok(), "{}\n");
    // It gets as far as the login.
    let no_login = |ran: Ran| assert!(ran.fails(5).contains("no login is given"));
    for region in ["EU", "eu", "Jpn"] {
        no_login(run(&["tasks", "list", "--region", region], b""));
        let command = command_with(command(&["tasks", "list"]), "REGION", region);
        no_login(run_command(command, b""));
    }
    assert!(
        run(&["tasks", "list", "--region", "fr"], b"").fails(2).contains("eu, de, us, ca, jpn")
    );
}

#[test]
fn values_may_begin_with_a_hyphen() {
    let server = Server::empty();
    let line = r#"-c "id""#;
    let create = ["tasks", "create", "--action", "RunCommand", "--device", DEVICE];
    let text = ["--name", "-x", "--description", "- first\n- second", "--current-directory", "-d"];
    let args = [&create[..], &text, &["--command-line", line, "--output", "json"]].concat();
    let task = server.run(&args).json::<CreateTaskResponse>().task.unwrap();
    let params: RunCommand =
        task.action.as_ref().unwrap().params.as_ref().unwrap().unpack().unwrap();
    assert_eq!((params.command_line(), params.current_directory()), (line, "-d"));
    assert_eq!((&*task.display_name, &*task.description), ("-x", "- first\n- second"));
    // A flag is not a value: the value was forgotten.
    for (args, flag) in [
        (&["--name", "--wait", "--command-line", "x"][..], "--wait"),
        (&["--name", "x", "--command-line", "-v"], "-v"),
        (&["--name", "x", "--command-line", "x", "--description", "--help"], "--help"),
        (&["--name", "--output", "--command-line", "x"], "--output"),
    ] {
        let error = server.run(&[&create[..], args].concat()).fails(2);
        let expected = format!("invalid value '{flag}' for '--");
        assert!(error.contains(&expected) && error.contains("the value is missing"), "{error}");
    }
    assert_eq!(
        server.run(&["tasks", "list", "--output", "json"]).json_lines::<DeviceTask>().len(),
        1
    );
}

#[test]
fn help_says_how_large_files_may_be() {
    for (args, expected) in [
        (&["tasks", "create", "--help"][..], "At most 64 MiB"),
        (&["policies", "create", "--help"], "At most 64 MiB"),
        (&["tasks", "get", "--help"], "at most 64 MiB"),
        (&["convert", "--help"], "at most 64 MiB"),
        (&["tasks", "list", "--help"], "at most 64 KiB"),
    ] {
        let help = run(args, b"").ok().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(expected), "{args:?}: {help}");
    }
}

#[test]
fn every_call_carries_the_metadata() {
    let server = Server::seeded();
    let fails = ["--metadata", "x-other=1", "--metadata", "x-emulator-fault=code=NOT_FOUND"];
    for wire in ["grpc", "rest"] {
        server.run(&[&["tasks", "list", "--wire", wire], &fails[..]].concat()).fails(4);
        let mut command = server.command(&["tasks", "list", "--wire", wire]);
        command.env("ESET_PROTECT_METADATA", "x-other=1\nx-emulator-fault=code=NOT_FOUND\n");
        run_command(command, b"").fails(4);
    }
}
