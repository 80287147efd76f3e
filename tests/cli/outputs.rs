//! The formats of output, their columns and their order.

use serde_json::Value;

#[cfg(target_os = "linux")]
use crate::command::at_terminal;
use crate::command::{DEVICE, GROUP, Server, run};

#[test]
fn every_format_shows_the_same_items() {
    let server = Server::seeded();
    let list =
        |args: &[&str]| server.run(&[&["tasks", "list", "--limit", "7"], args].concat()).ok();
    let json = list(&["-o", "json"]);
    let tasks: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json, list(&["-o", "ndjson"]));
    let documents = list(&["-o", "yaml"]);
    let documents = documents.split("---\n").skip(1);
    let documents: Vec<Value> =
        documents.map(|document| serde_saphyr::from_str(document).unwrap()).collect();
    assert_eq!(documents, tasks);
    let uuids: Vec<_> = tasks.iter().map(|task| task["uuid"].as_str().unwrap()).collect();
    let names = list(&["-o", "name"]);
    assert_eq!(names.lines().collect::<Vec<_>>(), uuids);
    let csv = list(&["-o", "csv"]);
    assert!(csv.starts_with("UUID,NAME,") && csv.ends_with("\r\n"), "{csv}");
    assert!(csv.lines().skip(1).zip(&uuids).all(|(row, uuid)| row.starts_with(uuid)), "{csv}");
    let (table, wide) = (list(&[]), list(&["-o", "wide"]));
    let width = |table: &str| table.lines().next().unwrap().len();
    assert!(width(&wide) > width(&table) && wide.contains("DESCRIPTION"), "{wide}");
    // Names are the input of commands for many.
    let ran = server.run_with(&["tasks", "get", "-", "-o", "name"], names.as_bytes());
    assert_eq!((ran.code, String::from_utf8(ran.out).unwrap()), (0, names));
}

/// Of one message, fields of the same name are named by their paths.
#[test]
fn no_two_fields_have_one_name() {
    let server = Server::seeded();
    let device = server.run(&["devices", "get", DEVICE]).ok();
    let names = device.lines().filter_map(|line| Some(line.split_once("  ")?.0));
    let mut names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "{device}");
    assert!(names.contains(&"operating system") && names.contains(&"name"), "{device}");
}

#[test]
fn columns_and_order_are_chosen_by_paths() {
    let server = Server::seeded();
    let list = |args: &[&str]| server.run(&[&["tasks", "list"], args].concat()).ok();
    let csv =
        list(&["-o", "csv", "--columns", "displayName,action.name", "--sort", "display_name"]);
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!(rows[0], "NAME,ACTION");
    let mut sorted = rows[1..].to_vec();
    sorted.sort_by_key(|row| row.to_lowercase());
    assert_eq!(rows[1..], sorted);
    let reversed =
        list(&["-o", "csv", "--columns", "displayName,action.name", "--sort=-displayName"]);
    let first = reversed.lines().nth(1).unwrap().split(',').next().unwrap();
    assert!(rows.last().unwrap().starts_with(first), "{reversed}");
    // The limit counts from the start of the sorted list.
    let last =
        list(&["-o", "csv", "--columns", "displayName", "--sort=-displayName", "--limit", "1"]);
    assert_eq!(last.lines().collect::<Vec<_>>(), ["NAME", first]);
    // A single message is a row, too.
    let uuid = list(&["-o", "name", "--limit", "1"]);
    let one = server.run(&["tasks", "get", uuid.trim(), "--columns", "uuid"]).ok();
    assert_eq!(one, format!("UUID\n{uuid}"));
    // Two columns never have one name.
    for noun in ["tasks", "policies", "devices", "detections", "incidents", "users"] {
        let csv = server.run(&[noun, "list", "-o", "csv"]).ok();
        let mut headers: Vec<_> = csv.lines().next().unwrap().split(',').collect();
        let number = headers.len();
        headers.sort_unstable();
        headers.dedup();
        assert_eq!(headers.len(), number, "{noun}: {csv}");
    }
}

/// Names are text even if they look like numbers, enums follow their numbers and times their moments.
#[test]
fn values_are_sorted_by_their_kind() {
    let server = Server::seeded();
    let sorted = |noun: &str, path: &str, by: &str| {
        let args = [noun, "list", "-o", "csv", "--columns", path, "--sort", by];
        let csv = server.run(&args).ok();
        csv.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut severities = sorted("detections", "severityLevel", "-severityLevel");
    severities.dedup();
    assert_eq!(severities, ["HIGH", "MEDIUM", "LOW"]);
    let expires = ["16.5Z", "16Z", "15.25Z"].map(|end| format!("2090-01-01T00:00:{end}"));
    for (name, time) in ["9", "inf", "1e1"].into_iter().zip(&expires) {
        let task =
            ["--name", name, "--action", "StopManaging", "--device", DEVICE, "--expires", time];
        server.run(&[&["tasks", "create"], &task[..]].concat()).ok();
    }
    let names = sorted("tasks", "displayName", "displayName");
    let ours = names.iter().filter(|name| ["9", "inf", "1e1"].contains(&&***name));
    assert_eq!(ours.collect::<Vec<_>>(), ["1e1", "9", "inf"]);
    let path = "triggers.manual.expireTime";
    let times = sorted("tasks", path, &format!("-{path}"));
    let seconds: Vec<_> = times.iter().filter_map(|time| time.get(17..20)).take(3).collect();
    assert_eq!(seconds, ["16.", "16Z", "15."], "{times:?}");
}

#[test]
fn unknown_columns_are_named() {
    let server = Server::seeded();
    for (args, expected) in [
        (
            &["--columns", "uid"][..],
            "error: --columns: \"uid\": DeviceTask has no field uid; did you mean uuid?",
        ),
        (&["--sort", "nam"], "error: --sort: \"nam\": DeviceTask has no field nam"),
        (&["--columns", "action.nme"], "Action has no field nme; did you mean name?"),
    ] {
        let error = server.run(&[&["tasks", "list"], args].concat()).fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    // Other formats have no columns.
    for format in ["json", "ndjson", "yaml", "name"] {
        let error = run(&["tasks", "list", "-o", format, "--columns", "uuid"], b"").fails(2);
        let found =
            format!("error: --columns: expected --output table, wide or csv, found {format}; --jq");
        assert!(error.contains(&found.replace("ndjson", "json")), "{error}");
    }
    let args = ["api", "GET", "/v1/devices", "--columns", "uuid"];
    assert!(run(&args, b"").fails(2).contains("--columns: expected"));
    for args in [&["--json", "-o", "csv"][..], &["--jq", ".", "-o", "yaml"]] {
        let error = run(&[&["tasks", "list"], args].concat(), b"").fails(2);
        assert!(error.contains(&format!("{}: expected --output json", args[0])), "{error}");
    }
    let error = run(&["tasks", "list", "-o", "xml"], b"").fails(2);
    assert!(error.contains("possible values: table, wide, json, yaml, csv, name"), "{error}");
}

/// The command's own rows are printed as all others are.
#[test]
fn settings_of_policies_have_every_format() {
    let server = Server::seeded();
    let policies = server.run(&["policies", "list", "-o", "csv", "--columns", "uuid,builtIn"]).ok();
    let policy = policies.lines().find_map(|line| line.strip_suffix(',')).unwrap();
    let name = server.run(&["policies", "get", policy, "--jq", ".policy.displayName"]).ok();
    let run = |verb: &[&str], args: &[&str]| server.run(&[&["policies"], verb, args].concat());
    let effective = ["effective", "--device", DEVICE];
    let shown = run(&["show", policy], &[]).ok();
    let (path, value) = shown.lines().next().unwrap().split_once(" = ").unwrap();
    let all: std::collections::BTreeMap<String, Value> =
        run(&["show", policy], &["-o", "json"]).json();
    let part = |name: &str| all[path][name].as_str().unwrap();
    let (kind, flags) = (part("type"), part("flags"));
    assert_eq!(format!("{:?} type={kind} flags={flags}", part("value")), value);
    let yaml = run(&["show", policy], &["-o", "yaml"]).ok();
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), serde_json::json!(all));
    let jq = run(&["show", policy], &["--jq", "keys[]"]).ok();
    let mut paths: Vec<_> = all.keys().map(|path| path.replace(['"', '\\'], "")).collect();
    let mut keys: Vec<_> = jq.lines().map(|path| path.replace(['"', '\\'], "")).collect();
    paths.sort();
    keys.sort();
    assert_eq!(keys, paths);
    let csv = run(&["show", policy], &["-o", "csv"]).ok();
    assert!(
        csv.starts_with("PATH,VALUE,TYPE,FLAGS\r\n") && csv.lines().count() == all.len() + 1,
        "{csv}"
    );
    let names = run(&["show", policy], &["-o", "name"]).ok();
    assert_eq!(names.lines().count(), all.len(), "{names}");
    for (verb, header) in [
        (&["show", policy][..], "PATH"),
        (&["search", path], "DISPLAY NAME"),
        (&effective, "SOURCE POLICY"),
    ] {
        let path = match header {
            "PATH" => "path",
            "DISPLAY NAME" => "displayName",
            _ => "source.policy",
        };
        let column = run(verb, &["-o", "csv", "--columns", path]).ok();
        assert!(column.starts_with(&format!("{header}\r\n")), "{column}");
        assert!(column.lines().count() > 1, "{column}");
        let table = run(verb, &["--sort", "path", "--columns", "path"]).ok();
        let rows: Vec<_> = table.lines().skip(1).map(str::to_lowercase).collect();
        assert!(rows.is_sorted(), "{table}");
        let error = run(verb, &["--columns", "nothing"]).fails(2);
        assert!(error.contains("--columns: \"nothing\": expected one of "), "{error}");
        for (args, count) in [(&["--jq", "."][..], 1), (&["-o", "yaml"], 1), (&["-o", "wide"], 2)] {
            assert!(run(verb, args).ok().lines().count() >= count, "{verb:?} {args:?}");
        }
    }
    // No cell has an object.
    let csv = run(&effective, &["-o", "csv"]).ok();
    assert!(!csv.contains('{') && csv.contains(&format!(",{GROUP},,\r\n")), "{csv}");
    let found: Vec<Value> = run(&effective, &["--json"]).json_lines();
    assert!(found.iter().all(|it| it["source"]["target"]["group"] == GROUP), "{found:?}");
    let found: Vec<Value> = run(&["search", path], &["--json"]).json_lines();
    assert!(found.iter().any(|it| it["displayName"] == name.trim_end()), "{found:?}");
    let error = run(&["show", policy], &["--sort", "path", "--json"]).fails(2);
    assert!(error.contains("--sort: expected --output table, wide, csv or name"), "{error}");
    let error = run(&["show", policy, "--tree"], &["--json"]).fails(2);
    assert!(error.contains("--tree: expected --output table"), "{error}");

    let copy = run(&["clone", policy, "--name", "Copy"], &["-o", "name"]).ok();
    for (args, expected) in [
        (&["-o", "csv"][..], "PATH,A VALUE,B VALUE,A TYPE,B TYPE,A FLAGS,B FLAGS\r\nname,"),
        (&["--jq", ".b.value"], "Copy\n"),
        (&["--columns", "b.value"], "B VALUE\nCopy\n"),
        (&["-o", "name"], "name\n"),
    ] {
        let ran = run(&["diff", policy, copy.trim()], args);
        let out = String::from_utf8(ran.out).unwrap();
        assert!(ran.code == 2 && out.starts_with(expected), "{args:?}: {out}{}", ran.err);
    }
    let copy: Value = run(&["clone", policy, "--name", "Copy"], &["-o", "json"]).json();
    assert_eq!(copy["policy"]["displayName"], "Copy");
}

/// A flag that has no effect is refused.
#[test]
fn no_flag_is_ignored() {
    let server = Server::seeded();
    let list = server.run(&["call", "-o", "csv"]).ok();
    assert!(list.starts_with("NAME,COMMAND,SUMMARY\r\n"), "{list}");
    assert!(server.run(&["call", "-o", "name"]).ok().contains("\nDeviceTasks/GetTask\n"));
    let tasks = server.run(&["tasks", "list", "-o", "name", "--limit", "2"]).ok();
    for (args, expected) in [
        (&["policies", "export", "--jq", "."][..], "--jq: --as chooses the form"),
        (&["policies", "export", "--columns", "a"], "--columns: --as chooses the form"),
        (&["api", "GET", "/v1/device_tasks", "--sort", "uuid"], "--sort: the order is fixed"),
        (&["tasks", "get", "-", "--json", "--sort", "uuid"], "--sort: expected --output table"),
        (&["quarantine", "download", "--to", "x", "--json"], "--json: expected no --to"),
    ] {
        let ran = server.run_with(args, tasks.as_bytes());
        assert!(ran.code == 2 && ran.err.contains(expected), "{args:?}: {}", ran.err);
    }
    for args in [&["auth", "status", "--json"][..], &["serve", "-o", "csv"]] {
        assert!(run(args, b"").fails(2).contains("unexpected argument"), "{args:?}");
    }
}

/// A count of nothing is an answer, and so is an empty list.
#[test]
fn nothing_is_shown_as_such() {
    let server = Server::seeded();
    let all = server.run(&["quarantine", "list", "-o", "name"]).ok();
    let delete = ["quarantine", "batch-delete", "-", "--yes"];
    server.run_with(&delete, all.as_bytes()).ok();
    assert_eq!(server.run(&["quarantine", "get-count"]).ok(), "object count  0\n");
    let policy = server.run(&["policies", "list", "-o", "name", "--limit", "1"]).ok();
    let rules = |args: &[&str]| {
        server.run(&[&["web-address-rules", "list", policy.trim()], args].concat()).ok()
    };
    let none = ["--include-domain", "nowhere.example"];
    assert_eq!(rules(&none), "ADDRESS RULE\n");
    assert_eq!(rules(&[&none[..], &["-o", "csv"]].concat()), "ADDRESS RULE\r\n");
    assert_eq!(rules(&[&none[..], &["-o", "name"]].concat()), "");
    let (table, names) = (rules(&[]), rules(&["-o", "name"]));
    assert_eq!(table, format!("ADDRESS RULE\n{names}"));
    // Names that look like something else.
    for name in ["0", "X_UNSPECIFIED"] {
        server.run(&["devices", "rename", DEVICE, "--display-name", name]).ok();
        let device = server.run(&["devices", "get", DEVICE]).ok();
        let is_name = |line: &str| line.split_whitespace().eq(["name", name]);
        assert!(device.lines().any(is_name), "{device}");
    }
}

/// CSV is for programs, which unquote it; a terminal gets no control characters.
#[test]
fn csv_changes_no_value() {
    let server = Server::empty();
    let names = ["a\nb", "a\\nb", "a\r\n\"b\", c", "\u{1b}[31mred", "\u{202e}"];
    for name in names {
        let task = ["--name", name, "--action", "StopManaging", "--device", DEVICE];
        server.run(&[&["tasks", "create"], &task[..]].concat()).ok();
    }
    let list = |format| {
        let args = ["tasks", "list", "-o", format, "--columns", "displayName"];
        server.run(&args).ok()
    };
    let quoted = |name: &str| match name.contains(['\n', '"']) {
        true => format!("\"{}\"\r\n", name.replace('"', "\"\"")),
        false => format!("{name}\r\n"),
    };
    assert_eq!(list("csv"), format!("NAME\r\n{}", names.map(quoted).concat()));
    assert!(list("table").contains("\na\\nb\na\\nb\na\\r\\n"), "{}", list("table"));
    assert!(!list("table").contains('\u{1b}'));
}

/// Names come from others.
#[cfg(target_os = "linux")]
#[test]
fn no_name_controls_a_terminal() {
    let server = Server::empty();
    let name = "a\u{1b}[31mb\u{202e}c\u{7f}d\te";
    let task = ["--name", name, "--action", "StopManaging", "--device", DEVICE];
    server.run(&[&["tasks", "create"], &task[..]].concat()).ok();
    let policy = ["policies", "create", "--name", name, "--product", "p", "--data", "-"];
    let settings = "{\"policy\":{\"format\":\"1\",\"data\":{\"x\":{\"ce_value\":\"\u{202e}\"}}}}";
    assert_eq!(server.run_with(&policy, settings.as_bytes()).code, 0);
    let policy = server.run(&["policies", "list", "-o", "name"]).ok();
    let policy = policy.trim();
    let escaped = r"a\u001b[31mb\u202ec\u007fd";
    for (args, expected) in [
        ("tasks list -o json", escaped),
        ("tasks list --jq .displayName", &format!("{escaped}\te")),
        ("tasks list -o yaml", "displayName"),
        ("api GET /v1/device_tasks --wire rest", escaped),
        ("policies search x -o json", escaped),
        ("policies search x", r"a\u{1b}[31mb\u{202e}c"),
        (&format!("policies show {policy} -o json"), r"\u202e"),
        (&format!("policies show {policy} -o yaml"), "x"),
        (&format!("policies show {policy} -o csv"), "x"),
    ] {
        let line = format!("BIN {args} 2>/dev/null");
        let Some((_, said)) = at_terminal(&line, Some(&server.endpoint), b"") else { return };
        assert!(said.contains(expected), "{args}: {said:?}");
        assert!(!said.contains(['\u{1b}', '\u{202e}', '\u{7f}']), "{args}: {said:?}");
    }
    // Programs get the name as it is.
    let name = format!("{name}\n");
    assert_eq!(server.run(&["tasks", "list", "--jq", ".displayName"]).ok(), name);
}

/// No identifier is broken: what does not fit is named, and in a narrow terminal each row is a block of lines.
#[cfg(target_os = "linux")]
#[test]
fn a_table_fits_its_terminal() {
    let server = Server::empty();
    for name in ["Scan the till in the first shop", "Scan"] {
        let task = ["--name", name, "--action", "OnDemandScan", "--device", DEVICE];
        server.run(&[&["tasks", "create"], &task[..]].concat()).ok();
    }
    let list = "tasks list --columns uuid,displayName,action.name,createTime";
    let fitted = |width: usize| {
        let line = format!("TERM=dumb COLUMNS={width} BIN {list} --utc 2>/dev/null");
        let (_, text) = at_terminal(&line, Some(&server.endpoint), b"")?;
        Some(text.replace("\r\n", "\n"))
    };
    let uuids = server.run(&["tasks", "list", "-o", "name"]).ok();
    for width in [1, 20, 40, 63, 64, 75, 80, 85, 86, 120, 199] {
        let Some(text) = fitted(width) else { return };
        assert!(uuids.lines().all(|uuid| text.contains(uuid)), "{width}: {text}");
        assert_eq!(text.matches("OnDemandScan").count(), 2, "{width}: {text}");
        let is_named = text.ends_with("\nIn a wider terminal also: CREATED.\n");
        assert_eq!(is_named, (64..86).contains(&width), "{width}: {text}");
        let fits = text.lines().all(|line| line.len() <= width);
        assert!(fits || width < 64, "{width}: {text}");
        let block = format!("UUID     {}\nNAME     Scan", uuids.lines().next().unwrap());
        assert_eq!(text.contains(&block), width < 64, "{width}: {text}");
    }
    // A pipe gets everything.
    let text = server.run(&list.split(' ').collect::<Vec<_>>()).ok();
    assert!(
        text.lines().count() == 3
            && text.contains("  Scan the till in the first shop  OnDemandScan  20")
    );
    assert!(text.lines().all(|line| line.len() <= 125 && !line.ends_with(' ')), "{text}");
}

/// What is inside a message inside another does not look like its own.
#[test]
fn fields_of_inner_messages_are_indented() {
    let server = Server::seeded();
    let device = server.run(&["devices", "get", DEVICE]).ok();
    let lines: Vec<_> = device.lines().collect();
    let system = lines.iter().position(|line| line.starts_with("operating system  ")).unwrap();
    assert!(lines[system + 1].starts_with("  "), "{device}");
    assert!(!lines.iter().any(|line| line.starts_with("id ")), "{device}");
}

#[test]
fn a_task_names_its_devices() {
    let server = Server::seeded();
    let create = ["tasks", "create", "--name", "x", "--action", "StopManaging", "--device", DEVICE];
    let created = server.run(&create).ok();
    let uuid = created.lines().find_map(|line| line.strip_prefix("uuid ")).unwrap().trim();
    for shown in [&created, &server.run(&["tasks", "get", uuid]).ok()] {
        assert!(shown.contains("\ntargets\n  devices"), "{shown}");
        assert!(shown.contains("REGISTER-01") && !shown.contains(DEVICE), "{shown}");
    }
    let wide = server.run(&["tasks", "get", uuid, "-o", "wide"]).ok();
    assert!(wide.contains(DEVICE), "{wide}");
}

/// Of alternatives, one column shows the one that is set.
#[test]
fn tables_show_what_one_looks_for() {
    let server = Server::seeded();
    for (args, full, headers) in [
        (
            ["vulnerabilities", "list"],
            1..4,
            "DEVICE,CVE NUMBER,SEVERITY,RISK SCORE,APPLICATION,AVAILABLE PATCH",
        ),
        (
            ["patches", "list"],
            3..5,
            "UUID,DEVICE,DEVELOPER DISPLAY NAME,RESULT VERSION NAME,SEVERITY,FIXED CVES,PACKAGE",
        ),
        (["iam", "roles"], 0..3, "SUBJECT REFERENCE,SUBJECT TYPE,ROLE NAME"),
    ] {
        let csv = server.run(&[&args[..], &["-o", "csv"]].concat()).ok();
        let mut lines = csv.lines();
        assert_eq!(lines.next(), Some(headers));
        assert!(csv.lines().count() > 1, "{csv}");
        for line in lines {
            let cells: Vec<_> = line.split(',').collect();
            assert!(cells[full.clone()].iter().all(|cell| !cell.is_empty()), "{csv}");
        }
    }
}
