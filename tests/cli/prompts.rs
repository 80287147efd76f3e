//! Prompts at a terminal, which `script` provides.
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::command::{Ran, Server, command, run_command};

const END: &[u8] = b"\x04";

/// Runs a command line at a terminal where this is typed.
fn at_terminal(command: &mut Command, args: &str, typed: &[u8]) -> Option<(i32, String)> {
    if Command::new("script").arg("--version").output().is_err() {
        crate::support::skip::skipped("there is no `script`, and so no terminal");
        return None;
    }
    let line = args.replace("BIN", env!("CARGO_BIN_EXE_eset-protect"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let Ran { code, out, .. } = run_command(script, typed);
    Some((code, String::from_utf8(out).unwrap()))
}

#[test]
fn every_prompt_ends_at_ctrl_d() {
    let server = Server::seeded();
    let login = "BIN devices list --region eu";
    let group = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0001";
    let delete = format!("BIN groups delete {group}");
    for (args, typed, code, expected) in [
        (login, END, 5, "Username: "),
        (login, END, 5, "no username was given"),
        (&format!("{login} --username me"), END, 5, "no password was given"),
        (&delete, END, 1, "not confirmed"),
        (&delete, b"n\n", 1, "not confirmed"),
        // Standard input is something else.
        (&format!("echo {group} | BIN groups delete -"), END, 1, "not confirmed"),
    ] {
        let mut plain = if args.contains("groups") { server.command(&[]) } else { command(&[]) };
        let Some((ended, said)) = at_terminal(&mut plain, args, typed) else { return };
        assert!(ended == code && said.contains(expected), "{args}: {ended} {said}");
    }
}
