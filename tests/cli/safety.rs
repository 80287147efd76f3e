//! `--dry-run`, `--yes` and `--ignore-not-found`.

#[cfg(feature = "all-services")]
use eset_protect::rpc::{IdempotencyLevel, METHODS, MethodSpec};
use serde_json::Value;

use crate::command::{DEVICE, Server};
#[cfg(feature = "all-services")]
use crate::{command::run, support::directory::Directory};

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let server = Server::seeded();
    let (one, two) =
        ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
    for (args, method, path) in [
        (&["devices", "rename", DEVICE, "--display-name", "X"][..], "POST", ":rename"),
        (&["tasks", "delete", one], "DELETE", one),
        (
            &["tasks", "update-triggers", one, "--triggers", r#"{"manual":{}}"#],
            "POST",
            ":updateTaskTriggers",
        ),
        (&["call", "DeviceTasks/DeleteTask", "--task-uuid", one], "DELETE", one),
        (&["groups", "create", "--display-name", "X"], "POST", "/v1/groups"),
        (&["policies", "create", "--file", "-"], "POST", "/v2/policies"),
    ] {
        // Nobody listens there.
        let dry = [args, &["--dry-run", "--json", "--endpoint", "http://127.0.0.1:1"]].concat();
        let sent: Value = server.run_with(&dry, br#"{"policy":{"displayName":"X"}}"#).json();
        assert_eq!(sent["method"], method, "{sent}");
        assert!(sent["path"].as_str().unwrap().ends_with(path), "{sent}");
        assert!(sent["rpc"].as_str().unwrap().starts_with("/eset."), "{sent}");
    }
    let ran = server.run(&["tasks", "delete", one, two, "--dry-run"]).ok();
    assert_eq!(ran.matches("DELETE /v1/device_tasks/").count(), 2, "{ran}");
    let help = server.run(&["devices", "list", "--help"]).ok();
    assert!(!help.contains("--dry-run") && !help.contains("--yes"), "{help}");
}

#[test]
fn several_are_not_removed_without_a_yes() {
    let server = Server::seeded();
    let list = server.run(&["tasks", "list", "-o", "name"]).ok();
    let error = server.run_with(&["tasks", "delete", "-"], list.as_bytes()).fails(2);
    assert!(error.contains(" tasks? There is no terminal to ask on; --yes confirms it"), "{error}");
    let error = server.run(&["quarantine", "purge"]).fails(2);
    assert!(error.contains("--yes"), "{error}");
    assert_eq!(server.run(&["tasks", "list", "-o", "name"]).ok(), list);
    assert!(
        error.contains("Purge all quarantined objects (the request has no filter)?"),
        "{error}"
    );
    let purge = ["api", "POST", "/v1/quarantined-objects:purge", "--data", "{}"];
    let error = server.run(&purge).fails(2);
    assert!(error.contains("--yes confirms it"), "{error}");
    server.run(&[&purge[..], &["--dry-run"]].concat()).ok();
    let raw = ["api", "DELETE", "/v9/everything", "--allow-unknown", "--wire", "rest"];
    assert!(server.run(&raw).fails(2).contains("--yes confirms it"));
    let count = server.run(&["quarantine", "get-count", "--json"]).ok();
    assert!(!count.contains(":0}"), "{count}");
    server.run(&[&purge[..], &["--yes"]].concat()).ok();
    let error = server.run(&["api", "GET", "/v1/devices", "-o", "csv"]).fails(2);
    assert!(error.contains("--output: expected json"), "{error}");
    // One group may contain many.
    #[cfg(feature = "asset-management")]
    {
        let error = server.run(&["groups", "delete", "g"]).fails(2);
        assert!(error.contains("the group g and everything below it"), "{error}");
        server.run(&["groups", "delete", "g", "--dry-run"]).ok();
    }
}

/// Ctrl-D is no answer, and no answer is no.
#[cfg(target_os = "linux")]
#[test]
fn the_end_of_input_is_a_no() {
    use std::process::Command;
    if Command::new("script").arg("--version").output().is_err() {
        return crate::support::skip::skipped("there is no `script`, and so no terminal");
    }
    let server = Server::empty();
    for (answer, expected) in
        [("\x04", "not confirmed"), ("n\n", "not confirmed"), ("y\n", "NOT_FOUND")]
    {
        let line = format!("{} tasks delete a b", env!("CARGO_BIN_EXE_eset-protect"));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("ESET_PROTECT_ENDPOINT", &server.endpoint);
        let ran = crate::command::run_command(script, answer.as_bytes());
        let said = String::from_utf8_lossy(&ran.out);
        assert!(said.contains("Delete 2 tasks? [y/N]"), "{answer:?}: {said}");
        assert!(said.contains(expected), "{answer:?}: {said}");
    }
}

#[test]
fn what_is_gone_already_may_be_ignored() {
    let server = Server::empty();
    let (one, two) =
        ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
    server.run(&["tasks", "delete", one]).fails(4);
    assert_eq!(server.run(&["tasks", "delete", one, "--ignore-not-found"]).ok(), "");
    let ran = server.run(&["tasks", "delete", one, two, "--ignore-not-found", "-y"]);
    assert_eq!((ran.code, &*ran.out, &*ran.err), (0, &b""[..], "0 deleted, 2 not found\n"));
    #[cfg(feature = "asset-management")]
    assert_eq!(server.run(&["groups", "delete", one, "--ignore-not-found", "--yes"]).ok(), "");
    // Of a batch, the others are removed.
    let server = Server::seeded();
    let list = || server.run(&["quarantine", "list", "-o", "name"]).ok();
    let all = list();
    let mut some = all.lines().skip(1).collect::<Vec<_>>();
    some.push(one);
    let delete = [&["quarantine", "batch-delete"], &*some, &["--yes"]].concat();
    server.run(&delete).fails(4);
    assert_eq!(list(), all);
    let ran = server.run(&[&delete[..], &["--ignore-not-found"]].concat());
    assert_eq!((ran.code, &*ran.err), (0, "2 deleted, 1 not found\n"));
    assert_eq!(list().lines().collect::<Vec<_>>(), all.lines().take(1).collect::<Vec<_>>());
    server.run(&["quarantine", "batch-restore", one, "--ignore-not-found"]).ok();
    let file = ["quarantine", "batch-delete", "--file", "-", "--ignore-not-found"];
    assert!(server.run(&file).fails(2).contains("cannot be used with"));
    // Other failures stay.
    let server = Server::empty();
    server.run(&["tasks", "delete", "code-7", "--ignore-not-found"]).fails(5);
}

/// What changes nothing at ESET, or is no call at all, without the verbs of RPCs that read.
#[cfg(feature = "all-services")]
const READING: &[&str] = &[
    "demo",
    "emulator",
    "serve",
    "call",
    "convert",
    "descriptors",
    "completions",
    "man",
    "tasks wait",
    "policies show",
    "policies export",
    "policies diff",
    "policies search",
    "policies plan",
    "policies effective",
    "auth login",
    "auth status",
    "auth logout",
];

#[cfg(feature = "all-services")]
#[test]
fn everything_that_writes_has_a_dry_run() {
    let directory = Directory::new();
    run(&["man", directory.join("man").to_str().unwrap()], b"").ok();
    let rpcs: Vec<Value> = run(&["call", "-o", "json"], b"").json_lines();
    let reads = |rpc: &&Value| {
        let is_it = |spec: &&&MethodSpec| spec.path.ends_with(rpc["name"].as_str().unwrap());
        let spec = METHODS.iter().find(is_it).unwrap();
        spec.idempotency == IdempotencyLevel::NoSideEffects
    };
    let commands = rpcs.iter().filter(reads).map(|rpc| rpc["command"].as_str().unwrap());
    let reading: Vec<_> =
        READING.iter().copied().chain(commands).map(|it| it.replace(' ', "-")).collect();
    let mut checked = 0;
    for entry in std::fs::read_dir(directory.join("man")).unwrap() {
        let path = entry.unwrap().path();
        let page = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().trim_start_matches("eset-protect");
        let name = name.trim_start_matches('-').to_owned();
        if page.contains(".SH SUBCOMMANDS") || name.split('-').any(|word| word == "help") {
            continue;
        }
        checked += 1;
        assert_ne!(reading.contains(&name), page.contains(r"\-\-dry\-run"), "{name}");
    }
    assert!(checked > 100, "{checked}");
}
