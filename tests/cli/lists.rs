//! Lists of many pages, and the pipes they go into.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use eset_protect::automation::v1::DeviceTask;

use crate::support::Server;

#[test]
fn pages_are_one_list_in_both_outputs() {
    let server = Server::seeded();
    let list = ["tasks", "list", "--page-size", "7"];
    let tasks: Vec<DeviceTask> =
        server.run(&[&list[..], &["--output", "json"]].concat()).json_lines();
    assert!(tasks.len() > 100, "{}", tasks.len());
    let uuids: BTreeSet<_> = tasks.iter().map(|task| &task.uuid).collect();
    assert_eq!(uuids.len(), tasks.len());

    let table = server.run(&list).ok();
    assert_eq!(table.lines().count(), tasks.len() + 1);
    for (line, task) in table.lines().skip(1).zip(&tasks) {
        assert!(line.starts_with(&task.uuid) && line.contains(&task.display_name), "{line}");
        // Nothing is cut in a pipe, and nothing is padded at the end.
        assert!(line.ends_with(&task.create_time.unwrap().to_string()), "{line}");
    }
    // Columns are aligned.
    let starts: BTreeSet<_> = table.lines().map(|line| line.rfind("  ")).collect();
    assert_eq!(starts.len(), 1, "{starts:?}");
}

#[test]
fn lines_are_what_get_prints() {
    let server = Server::seeded();
    let lines = server.run(&["tasks", "list", "--output", "json"]).ok();
    let line = lines.lines().next().unwrap();
    let task: DeviceTask = serde_json::from_str(line).unwrap();
    let got = server.run(&["tasks", "get", &task.uuid, "--output", "json"]).ok();
    assert_eq!(got, format!("{{\"task\":{line}}}\n"));
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let server = Server::seeded();
    for args in [
        &["tasks", "list", "--output", "json", "--page-size", "5"][..],
        &["tasks", "list", "--output", "json"],
        &["tasks", "list"],
        &["convert", "--list"],
        &["descriptors", "-o", "-"],
        &["completions", "bash"],
        &["demo"],
    ] {
        let mut child = server
            .command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reader = BufReader::with_capacity(16, child.stdout.take().unwrap());
        reader.read_until(b'\n', &mut Vec::new()).unwrap();
        drop(reader);
        let ran = crate::support::Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, &*ran.err), (0, ""), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let server = Server::seeded();
    for args in [&["tasks", "list"][..], &["convert", "--list"], &["demo"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = server.command(args).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let ran = crate::support::Ran::from(output);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(ran.err.starts_with("error: standard output: "), "{}", ran.err);
    }
}

#[test]
fn names_cannot_break_the_table_or_the_terminal() {
    let server = Server::empty();
    let name = "a\n\u{1b}[31mb\u{202e}c\u{9b}0m";
    let args = ["tasks", "create", "--name", name, "--action", "StopManaging", "--device", "d"];
    let shown = server.run(&args).ok();
    let table = server.run(&["tasks", "list"]).ok();
    for text in [&shown, &table] {
        assert!(text.contains(r"a\n\u{1b}[31mb\u{202e}c\u{9b}0m"), "{text}");
    }
    assert_eq!(table.lines().count(), 2);
    let task: Vec<DeviceTask> = server.run(&["tasks", "list", "--output", "json"]).json_lines();
    assert_eq!(task[0].display_name, name);
}
