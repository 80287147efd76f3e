//! Lists of many pages, also in pipes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use eset_protect::automation::v1::DeviceTask;
use serde_json::{Value, json};

use crate::command::{DEVICE, Server};

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
        // In a pipe, nothing is cut and lines have no trailing spaces.
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

/// Programs also look for values that are false or empty.
#[test]
fn json_has_its_defaults() {
    let server = Server::seeded();
    let values = |args: &[&str]| -> Vec<Value> {
        server.run(&[args, &["--output", "json"]].concat()).json_lines()
    };
    let policies = values(&["policies", "list"]);
    let of_ours = |policy: &&Value| policy["builtIn"] == false;
    assert!(policies.iter().any(|policy| policy["builtIn"] == true), "{policies:?}");
    let own: Vec<_> = policies.iter().filter(of_ours).collect();
    assert!(!own.is_empty(), "{policies:?}");
    let uuid = own[0]["uuid"].as_str().unwrap();
    assert_eq!(values(&["policies", "get", uuid])[0]["policy"], *own[0]);

    let create = ["tasks", "create", "--name", "x", "--action", "StopManaging", "--device", DEVICE];
    for task in [&values(&create)[0]["task"], values(&["tasks", "list"]).last().unwrap()] {
        assert_eq!(
            (&task["description"], &task["targets"]["deviceGroupsUuids"]),
            (&json!(""), &json!([]))
        );
    }
    let assignments = values(&["assignments", "list"]);
    assert!(assignments.iter().all(|one| one["rank"].is_u64()), "{assignments:?}");
}

#[test]
fn tables_name_devices() {
    let server = Server::seeded();
    let task = server.run(&["tasks", "list", "-o", "name", "--limit", "1"]).ok();
    for (list, name) in [
        (&["tasks", "runs", task.trim()][..], "REGISTER-01"),
        (&["assignments", "list"], "device:REGISTER-04"),
        #[cfg(feature = "vulnerability-management")]
        (&["vulnerabilities", "list"], "LAPTOP-01"),
        #[cfg(feature = "vulnerability-management")]
        (&["vulnerabilities", "vulnerable-devices"], "LAPTOP-01"),
        #[cfg(feature = "patch-management")]
        (&["patches", "patching-details"], "LAPTOP-02"),
    ] {
        let list = |format| server.run(&[list, &["-o", format]].concat()).ok();
        let table = list("table");
        assert!(table.contains(name) && !table.contains("5f0c1a62"), "{table}");
        for format in ["wide", "csv", "json"] {
            let text = list(format);
            assert!(text.contains("5f0c1a62") && !text.contains(name), "{text}");
        }
    }
}

/// Each line of a list, or all of them, can be created again.
#[test]
fn what_a_list_prints_can_be_created_again() {
    let server = Server::empty();
    for number in 1..=3 {
        let name = format!("T{number}");
        let create = ["tasks", "create", "--action", "StopManaging", "--device", DEVICE, "--name"];
        server.run(&[&create[..], &[&name]].concat()).ok();
        let data = format!(r#"{{"policy":{{"format":"{number}"}}}}"#);
        let create = ["policies", "create", "--product", "p", "--data", "-", "--name", &name];
        let ran = server.run_with(&create, data.as_bytes());
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    for (noun, own) in
        [("tasks", &["uuid", "createTime", "updateTime", "triggers"][..]), ("policies", &["uuid"])]
    {
        let without_own = |values: Vec<Value>| -> Vec<Value> {
            let without = |mut value: Value| {
                value.as_object_mut().unwrap().retain(|name, _| !own.contains(&name.as_str()));
                value
            };
            values.into_iter().map(without).collect()
        };
        let listed = server.run(&[noun, "list", "--output", "json"]).ok();
        let array = format!("[{}]", listed.trim_end().replace('\n', ","));
        for input in [&listed, &array] {
            let elsewhere = Server::empty();
            let create = [noun, "create", "--file", "-", "--concurrency", "1"];
            let ran = elsewhere.run_with(&create, input.as_bytes());
            assert_eq!((ran.code, &*ran.err), (0, "3 created\n"));
            let again = elsewhere.run(&[noun, "list", "--output", "json"]);
            let lines = listed.lines().map(|line| serde_json::from_str(line).unwrap());
            assert_eq!(without_own(again.json_lines()), without_own(lines.collect()));
        }
        let one = listed.lines().next().unwrap();
        let ran = Server::empty().run_with(&[noun, "create", "--file", "-"], one.as_bytes());
        assert!(ran.ok().contains("T1"), "{noun}");
    }
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
        let ran = crate::command::Ran::from(child.wait_with_output().unwrap());
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
        let ran = crate::command::Ran::from(output);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(ran.err.starts_with("error: standard output: "), "{}", ran.err);
    }
}

#[test]
fn names_cannot_break_the_table_or_the_terminal() {
    let server = Server::empty();
    let name = "a\n\u{1b}[31mb\u{202e}c\u{9b}0m";
    let args = ["tasks", "create", "--name", name, "--action", "StopManaging", "--device", DEVICE];
    let shown = server.run(&args).ok();
    let table = server.run(&["tasks", "list"]).ok();
    for text in [&shown, &table] {
        assert!(text.contains(r"a\n\u{1b}[31mb\u{202e}c\u{9b}0m"), "{text}");
    }
    assert_eq!(table.lines().count(), 2);
    let task: Vec<DeviceTask> = server.run(&["tasks", "list", "--output", "json"]).json_lines();
    assert_eq!(task[0].display_name, name);
}
