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

/// Also of lists that the service neither filters nor divides into pages.
#[test]
fn every_list_is_filtered_item_by_item() {
    let server = Server::seeded();
    let names = |args: &[&str]| server.run(&[args, &["--jq", ".displayName"]].concat()).ok();
    let laptops = r#"displayName.contains("LAPTOP") && !displayName.contains("3")"#;
    let of = ["devices", "list", "--page-size", "3", "--limit", "2", "--filter", laptops];
    for wire in ["grpc", "rest"] {
        assert_eq!(names(&[&of[..], &["--wire", wire]].concat()), "LAPTOP-01\nLAPTOP-02\n");
    }
    #[cfg(feature = "incident-management")]
    {
        let groups = names(&["detection-groups", "search", "--limit", "3"]);
        assert_eq!(groups.lines().count(), 3, "{groups}");
        let comments = ["comments", "list", "19c1de00-0000-4000-8000-000000000001"];
        let of = |filter| names(&[&comments[..], &["--filter", filter]].concat());
        assert_eq!(of("text.contains(\"into\")").lines().count(), 1);
        assert_eq!(of("text == \"into\""), "");
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
        let yaml = server.run(&[noun, "list", "--output", "yaml"]).ok();
        let elsewhere = Server::empty();
        let ran = elsewhere.run_with(&[noun, "create", "--file", "-"], yaml.as_bytes());
        assert_eq!((ran.code, &*ran.err), (0, "3 created\n"));
        let one = listed.lines().next().unwrap();
        let ran = Server::empty().run_with(&[noun, "create", "--file", "-"], one.as_bytes());
        assert!(ran.ok().contains("T1"), "{noun}");
    }
}

/// Where a list shows more than a request takes, or a request is more than its content.
#[cfg(feature = "all-services")]
#[test]
fn what_only_lists_show_is_left_out() {
    let server = Server::seeded();
    let incident = "19c1de00-0000-4000-8000-000000000001";
    for (list, create, at) in [
        (&["groups", "list"][..], &["groups", "create"][..], "/group"),
        (&["installers", "list"], &["installers", "create"], "/installer"),
        (&["comments", "list", incident], &["comments", "create", incident], "/comment"),
        (&["rules", "list"], &["rules", "create"], "/rule"),
    ] {
        let listed = server.run(&[list, &["--limit", "1", "-o", "json"]].concat()).ok();
        let create = [create, &["--file", "-", "--dry-run", "-o", "json"]].concat();
        let sent: Value = server.run_with(&create, listed.as_bytes()).json();
        let sent = sent["request"].pointer(at).unwrap();
        let listed: Value = serde_json::from_str(&listed).unwrap();
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(&listed[name], value, "{create:?}: {name}");
        }
        assert!(sent.get("uuid").is_none() && !sent.as_object().unwrap().is_empty(), "{sent}");
        // What is in neither is a mistake.
        let wrong = listed.to_string().replacen('{', "{\"displayNam\":1,", 1);
        let error = server.run_with(&create, wrong.as_bytes()).fails(2);
        assert!(error.contains("displayNam`: the message has no such field"), "{error}");
    }
    let flag = ["rules", "create", "--file", "-", "--enabled=false", "--dry-run", "-o", "json"];
    let rule = server.run(&["rules", "list", "--limit", "1", "-o", "json"]).ok();
    let sent: Value = server.run_with(&flag, rule.as_bytes()).json();
    assert_eq!(sent["request"]["rule"]["enabled"], Value::Null, "{sent}");
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
    let name = "a\n\u{1b}[31mb\u{202e}c\u{9b}0m\u{200b}\u{feff}";
    let args = ["tasks", "create", "--name", name, "--action", "StopManaging", "--device", DEVICE];
    let shown = server.run(&args).ok();
    let table = server.run(&["tasks", "list"]).ok();
    for text in [&shown, &table] {
        assert!(text.contains(r"a\n\u{1b}[31mb\u{202e}c\u{9b}0m\u{200b}\u{feff}"), "{text}");
    }
    assert_eq!(table.lines().count(), 2);
    let task: Vec<DeviceTask> = server.run(&["tasks", "list", "--output", "json"]).json_lines();
    assert_eq!(task[0].display_name, name);
}
