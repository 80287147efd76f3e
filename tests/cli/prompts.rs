//! Prompts at a terminal, which `script` provides.
#![cfg(target_os = "linux")]

use crate::command::{Server, at_terminal};

const END: &[u8] = b"\x04";

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
        let endpoint = args.contains("groups").then_some(&*server.endpoint);
        let Some((ended, said)) = at_terminal(args, endpoint, typed) else { return };
        assert!(ended == code && said.contains(expected), "{args}: {ended} {said}");
    }
}
