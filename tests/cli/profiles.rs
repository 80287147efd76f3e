//! Profiles, and `auth`.

use std::fs;
use std::process::Command;

use eset_protect::emulator::{Auth, Emulator};

use crate::command::{Server, command, run_command};
use crate::support::directory::Directory;

fn with_home(args: &[&str], home: &Directory) -> Command {
    let mut command = command(args);
    command.env("XDG_CONFIG_HOME", home.join(""));
    command
}

fn write(home: &Directory, text: &str) {
    fs::create_dir_all(home.join("eset-protect")).unwrap();
    fs::write(home.join("eset-protect/config.toml"), text).unwrap();
}

fn server() -> Server {
    Server::start(Emulator::builder().seed(true).auth(Auth::new().account("api", "a secret")))
}

#[test]
fn a_profile_fills_in_what_neither_flag_nor_variable_says() {
    let (server, home) = (server(), Directory::new());
    let endpoint = &server.endpoint;
    write(
        &home,
        &format!(
            r#"
        profile = "lab"
        [profiles.lab]
        endpoint = "{endpoint}"
        wire = "rest"
        username = "api"
        password_env = "LAB"
        output = "name"
        [profiles.command]
        endpoint = "{endpoint}"
        credentials_command = ["sh", "-c", "printf 'username=api\npassword=a secret\n'"]
        [profiles.nowhere]
        endpoint = "http://127.0.0.1:1"
        "#
        ),
    );
    let list = |args: &[&str], vars: &[(&str, &str)]| {
        let mut command = with_home(&[&["devices", "list", "--limit", "1"], args].concat(), &home);
        command.envs(vars.iter().copied());
        run_command(command, b"")
    };
    let login = ("LAB", "a secret");
    let listed = list(&[], &[login]).ok();
    assert!(listed.len() == 37 && listed.ends_with('\n'), "{listed}");
    assert!(list(&["-o", "csv"], &[login]).ok().starts_with("UUID,"));
    assert!(list(&["--profile", "command"], &[]).ok().contains("REGISTER-01"));
    assert!(list(&[], &[("ESET_PROFILE", "command")]).ok().contains("REGISTER-01"));
    list(&[], &[login, ("ESET_PROFILE", "nowhere")]).fails(3);
    list(&["--endpoint", "http://127.0.0.1:1"], &[login]).fails(3);
    // A wrong password of the environment belongs to the profile's user.
    list(&[], &[login, ("ESET_PROTECT_PASSWORD", "wrong")]).fails(5);
    // The profile's login is for its own server.
    let error = list(&["--endpoint", endpoint, "--wire", "rest"], &[login]).fails(5);
    assert!(error.contains("that server wants a login"), "{error}");
    // A login by flag or variable runs no command.
    let vars = [("ESET_PROTECT_USERNAME", "api"), ("ESET_PROTECT_PASSWORD", "a secret")];
    assert!(list(&["--profile", "command"], &vars).ok().contains("REGISTER-01"));
}

#[test]
fn without_a_name_it_is_the_profile_default() {
    let (server, home) = (server(), Directory::new());
    let endpoint = &server.endpoint;
    let login = "username = \"api\"\npassword_env = \"LAB\"";
    write(&home, &format!("[profiles.default]\nendpoint = {endpoint:?}\n{login}\n"));
    let list = |password: &str| {
        let mut command = with_home(&["devices", "list", "--limit", "1", "-o", "name"], &home);
        command.env("LAB", password);
        run_command(command, b"")
    };
    // A secret of Kubernetes that was made from a file ends with a line break.
    for password in ["a secret", "a secret\n"] {
        assert_eq!(list(password).ok().len(), 37);
    }
    let error = list("").fails(2);
    assert!(error.contains("the variable \"LAB\" of the environment is empty"), "{error}");
}

#[test]
fn mistakes_in_the_file_are_named() {
    let home = Directory::new();
    for (text, args, expected) in [
        ("x = 1", &[][..], "config.toml: line 1: unknown field `x`"),
        ("\npassword = secret", &[], "config.toml: line 2: "),
        (
            "[profiles.a]\n[profiles.b]\npassword = 'x'",
            &["--profile", "a"],
            "config.toml: profiles.b.password: a secret does not belong in this file; use password_env",
        ),
        ("profile = 'x'", &[], "config.toml has no profile \"x\"; it has none"),
        ("[profiles.a]", &["--profile", "b"], "--profile: "),
        ("[profiles.a]", &["--profile", "b"], "it has a"),
        (
            "[profiles.a]\npassword = 'secret'",
            &["--profile", "a"],
            "profiles.a.password: a secret does not belong",
        ),
        ("[profiles.a]\nregin = 'eu'", &["--profile", "a"], "profiles.a.regin: expected one of "),
        ("[profiles.a]\nregion = 'fr'", &["--profile", "a"], "profiles.a.region: expected eu, de"),
        ("[profiles.a]\npassword_env = 'GONE'", &["--profile", "a"], "no variable \"GONE\""),
        ("[profiles.a]\ncredentials_command = ['false']", &["--profile", "a"], "\"false\" failed"),
        ("[profiles.a]\noutput = 'xml'", &["--profile", "a"], "profiles.a.output: "),
    ] {
        write(&home, text);
        let error =
            run_command(with_home(&[&["tasks", "list"], args].concat(), &home), b"").fails(2);
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("'secret'") && !error.contains("= secret"), "{error}");
    }
}

/// The keyring is a program, here one that keeps what it gets in a file.
#[cfg(unix)]
#[test]
fn a_login_is_kept_in_the_keyring() {
    use std::os::unix::fs::PermissionsExt;
    let (server, home) = (server(), Directory::new());
    let tool = home.join("bin/secret-tool");
    fs::create_dir_all(home.join("bin")).unwrap();
    let kept = home.join("kept");
    let script = format!(
        "#!/bin/sh\ncase $1 in store) exec cat > {0};; lookup) exec cat {0};; clear) exec rm {0};; esac\n",
        kept.display()
    );
    fs::write(&tool, script).unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", home.join("bin").display());
    let run = |args: &[&str], password: Option<&str>, path: &str| {
        let mut command = with_home(args, &home);
        command.env("PATH", path);
        command.envs(password.map(|password| ("ESET_PROTECT_PASSWORD", password)));
        run_command(command, b"")
    };
    let login = ["auth", "login", "--endpoint", &server.endpoint, "--username", "api"];
    run(&login, Some("wrong"), &path).fails(5);
    let config = home.join("eset-protect/config.toml");
    assert!(!config.exists() && !kept.exists(), "nothing is written");
    let ran = run(&login, Some("a secret"), &path);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("profile = \"default\"") && !text.contains("a secret"), "{text}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "username=api\npassword=a secret\n");
    assert!(run(&["devices", "list"], None, &path).ok().contains("LAPTOP-01"));
    let status = run(&["auth", "status"], None, &path).ok();
    for expected in ["default", &server.endpoint, "user api, from the profile", "accepts the login"]
    {
        assert!(status.contains(expected), "{status}");
    }
    let ran = run(&["auth", "logout"], None, &path);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!kept.exists());
    run(&["devices", "list"], None, &path).fails(5);
    run(&["auth", "logout"], None, &path).fails(2);
    // Without a keyring, the profile has no secret, and the command says so. It is enough where the environment has it.
    let ran = run(&login, Some("a secret"), "/nonexistent");
    let expected = "is not kept: further commands need it in the environment";
    assert!(ran.code == 0 && ran.err.contains(expected), "{}", ran.err);
    assert!(fs::read_to_string(&config).unwrap().contains("username = \"api\""));
}
