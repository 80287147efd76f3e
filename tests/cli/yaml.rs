//! YAML, as it is written and read: in 1.2, and so that readers of 1.1 take it for the same values.

use serde_json::{Value, json};

use crate::command::{DEVICE, run};

const TYPE: &str = "type.googleapis.com/eset.v9.Newer";

/// Returns a request with this value in an `Any`, as it would be sent.
fn sent(value: &Value, format: &str) -> String {
    let params = json!({ "@type": TYPE, "value": value });
    let task = json!({ "task": {
        "displayName": "x",
        "action": { "name": "X", "params": params },
        "targets": { "devicesUuids": [DEVICE] },
        "triggers": [{ "manual": {} }],
    } });
    let args =
        ["call", "DeviceTasks/CreateTask", "-", "--allow-unknown", "--dry-run", "-o", format];
    run(&args, task.to_string().as_bytes()).ok()
}

/// Returns what a value in YAML is.
fn read(yaml: &str) -> Value {
    let lines: String = yaml.lines().map(|line| format!("        {line}\n")).collect();
    let params = format!("    params:\n      '@type': {TYPE}\n      value:\n{lines}");
    let task = format!(
        "task:\n  displayName: x\n  targets: {{devicesUuids: [{DEVICE}]}}\n  triggers: [{{manual: {{}}}}]\n  action:\n    \
         name: X\n{params}"
    );
    let args = ["tasks", "create", "--file", "-", "--allow-unknown", "--dry-run", "-o", "json"];
    let sent: Value = run(&args, task.as_bytes()).json();
    sent["request"]["task"]["action"]["params"]["value"].clone()
}

#[test]
fn text_stays_text_to_every_reader() {
    let words = "1e400 = << no Yes ON off y 12:30 1_000 2026-01-01 0x1F 0o7 010 ~ null .inf -.INF .nan +1 \
                 1. .5 # --- ... *a &a !a @a %a | > ? [ { \" 0b1 190:20:30";
    let cases =
        words.split(' ').chain(["", " a", "a ", "- a", "a: b", "a #b", "\u{85}", "\u{2028}"]);
    let cases: Vec<_> = cases.collect();
    let yaml = sent(&json!(cases), "yaml");
    let (_, items) = yaml.split_once("value:\n").unwrap();
    let items = items.lines().map_while(|line| line.trim().strip_prefix("- "));
    let items: Vec<_> = items.collect();
    assert_eq!(items.len(), cases.len(), "{yaml}");
    assert!(items.iter().all(|item| item.starts_with(['\'', '"'])), "{yaml}");
    let plain = ["Scan the till", "a-b/c.d", "Żółw", "yesterday", "e1"];
    let yaml = sent(&json!(plain), "yaml");
    assert!(plain.iter().all(|plain| yaml.contains(&format!("- {plain}\n"))), "{yaml}");
}

#[test]
fn structure_is_read_back() {
    let texts =
        "a\nb|a\n|a\n\n\nb\n\n|\na| a\nb|a\r\nb|a\n  b\n c|a\n\tb|a\n---\nb|\n|\u{7f}\u{feff}\t";
    let long = "k".repeat(2000);
    let values = texts.split('|').map(|text| {
        json!({
            "one": [text, [[text], []], { "two": text, "three": [{}] }],
            text: { "four": [null, true, 1e18, 1.5e-7, u64::MAX] },
            &long: [{ &long: { "five": 1 } }, 2],
        })
    });
    let value = values.collect::<Value>();
    let yaml = sent(&value, "yaml");
    let written: Value = serde_saphyr::from_str(&yaml).unwrap();
    let task = written["request"].to_string();
    let args = ["tasks", "create", "--file", "-", "--allow-unknown", "--dry-run", "-o", "json"];
    let again: Value = run(&args, task.as_bytes()).json();
    assert_eq!(again["request"]["task"]["action"]["params"]["value"], value);
}

#[test]
fn text_is_read_as_yaml_1_2() {
    let text = "a: [yes, off, 010, 1_000, 12:30, 2026-01-01]\nb: [true, 0x1F, -1, 1.5, ~, 18446744073709551615]";
    let value = json!({
        "a": ["yes", "off", "010", "1_000", "12:30", "2026-01-01"],
        "b": [true, 31, -1, 1.5, null, u64::MAX],
    });
    assert_eq!(read(text), value);
}

#[test]
fn what_would_be_lost_or_endless_is_refused() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (text, expected) in [
        ("a: 1\na: 2", "duplicate mapping key `a` is not allowed here at line 2, column 1"),
        ("a: 18446744073709551616", "expected a number below 2^64, or in quotes"),
        ("a: -1e300", "expected a number below 2^64, or in quotes"),
        ("a: .nan", "not a finite number at line 1, column 4"),
        ("a: !x y", "tag"),
        ("a: [", "at line 1, column 4"),
        ("a: *b", "at line 1, column 4"),
        ("a: 1\n---\nb: 2", "expected one document, found 2"),
        ("# nothing", "expected one document, found 0"),
        (&deep, "at line 1, column "),
    ] {
        let error = run(&["policies", "import", "-"], text.as_bytes()).fails(2);
        assert!(error.contains(expected), "{text}: {error}");
    }
}
