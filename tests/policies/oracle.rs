//! Python's libraries read what this crate writes, and the other way around.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use eset_protect::policy::{Container, SettingValue};
use serde::Deserialize;

use crate::skip::skipped;

#[derive(Debug, Deserialize)]
struct Inside {
    layers: usize,
    json: String,
    members: Vec<(String, String)>,
}

/// Runs the oracle; `None` if there is no Python.
fn python(args: &[&str], input: &str) -> Option<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policies/oracle.py");
    let child = Command::new("python3")
        .arg(script)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match child {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            skipped("there is no python3");
            return None;
        }
        child => child.unwrap(),
    };
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{args:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads 2,000 containers of Python's, changes the first setting of each part, and lets Python read the result.
#[test]
fn python_and_this_crate_understand_each_other() {
    let Some(made) = python(&["make", "7", "2000"], "") else { return };
    let mut written = String::new();
    let mut expected = Vec::new();
    for line in made.lines() {
        let (bytes, inside) = line.split_once(' ').unwrap();
        let bytes = unhex(bytes);
        let mut inside: Inside = serde_json::from_str(inside).unwrap();
        let mut container = Container::decode(bytes.clone()).unwrap();
        assert_eq!(container.encode(), bytes);
        assert_eq!((container.layers(), container.json()), (inside.layers, &*inside.json));
        let names = container.members().map(|(name, _)| name);
        assert!(names.eq(inside.members.iter().map(|(name, _)| name.clone())));

        let contents = container.contents();
        // Members with several documents are no settings.
        let unread = inside.members.iter().filter(|(_, text)| text.matches("policy").count() > 1);
        assert_eq!(contents.unread.len(), unread.count(), "{:?}", contents.unread);
        for setting in contents.settings {
            let SettingValue::Text(value) = setting.value else { continue };
            let text = match setting.path.member() {
                None => &mut inside.json,
                Some(member) => {
                    let found = inside.members.iter_mut().find(|(name, _)| name == member);
                    &mut found.unwrap().1
                }
            };
            assert_eq!(container.get(&setting.path).unwrap().value, SettingValue::Text(value));
            let (before, rest) = text.split_once(r#""ce_value": ""#).unwrap();
            let after = rest.split_once('"').unwrap().1;
            *text = format!(r#"{before}"ce_value": "new \" value"{after}"#);
            container.set(&setting.path, "new \" value").unwrap();
        }
        written.push_str(&format!("{}\n", hex(&container.encode())));
        expected.push(inside);
    }
    // What the test expects has the value in JSON's form.
    let read = python(&["read"], &written).unwrap();
    let mut count = 0;
    for (line, mut expected) in read.lines().zip(expected) {
        let read: Inside = serde_json::from_str(line).unwrap();
        let fix = |text: &str| text.replace("new \" value", "new \\\" value");
        expected.json = fix(&expected.json);
        for (_, text) in &mut expected.members {
            *text = fix(text);
        }
        assert_eq!((read.layers, &read.json), (expected.layers, &expected.json));
        assert_eq!(read.members, expected.members);
        count += 1;
    }
    assert_eq!(count, 2000);
}
