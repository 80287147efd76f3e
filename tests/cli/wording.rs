//! The words of errors in files: the line, the member, what was expected and what was found.

use crate::command::run;
use crate::support::directory::Directory;

#[test]
fn mistakes_in_policies_are_named_in_json_and_yaml() {
    let rank = "assignments[0].rank: expected a whole number from 1 to 4294967295, found -1\n";
    for (yaml, json, expected) in [
        ("name: [x]", r#"{"name": ["x"]}"#, "line 1: name: expected a string, found a list\n"),
        (
            "name: x\nassignments:\n- group: a\n  rank: -1",
            "{\"name\": \"x\",\n\"assignments\":\n[{\"group\": \"a\",\n\"rank\": -1}]}",
            &format!("line 4: {rank}"),
        ),
        (
            "name: x\nassignments: {}",
            "{\"name\": \"x\",\n\"assignments\": {}}",
            "line 2: assignments: expected a list, found an object\n",
        ),
        (
            "name: x\nfeatures:\n- settings: [1]",
            "{\"name\": \"x\",\n\"features\":\n[{\"settings\": [1]}]}",
            "line 3: features[0].settings: expected an object, found a list\n",
        ),
        (
            "name: x\nfeatures:\n- flags: {a: {readOnly: maybe}}",
            "{\"name\": \"x\",\n\"features\":\n[{\"flags\": {\"a\": {\"readOnly\": \"maybe\"}}}]}",
            "line 3: features[0].flags.a.readOnly: expected a boolean, found \"maybe\"\n",
        ),
        (
            "name: x\nfeatures:\n- settings: {a: 1}",
            "{\"name\": \"x\",\n\"features\":\n[{\"settings\": {\"a\": 1}}]}",
            "line 3: features[0].settings.a: expected the value of a setting in quotes, such as '1', \
             or a new setting, such as {value: '1', kind: '9', flags: '4'}, found 1\n",
        ),
    ] {
        for text in [yaml, json] {
            let error = run(&["policies", "import", "-"], text.as_bytes()).fails(2);
            assert_eq!(error, format!("error: FILE -: {expected}"), "{text}");
        }
    }
    let error = run(&["policies", "import", "-"], b"- a").fails(2);
    assert_eq!(error, "error: FILE -: expected an object at line 1, column 1\n");
}

#[test]
fn mistakes_in_requests_and_configurations_are_in_the_same_words() {
    let error =
        run(&["tasks", "create", "--file", "-"], br#"{"task":{"displayName":[]}}"#).fails(2);
    assert!(error.contains("field `task.displayName`: expected "), "{error}");
    assert!(error.contains(", found a list") && !error.contains("invalid type"), "{error}");
    let directory = Directory::new();
    let config = directory.join("serve.toml");
    for (text, expected) in [
        ("[limits]\ndrain_time = 30\n", ":2: limits.drain_time: expected a string, found 30\n"),
        ("audit_log = \"C:\\Users\\x\"\n", "write a path in single quotes\n"),
    ] {
        std::fs::write(&config, text).unwrap();
        let error = run(&["serve", "--check", "--config", config.to_str().unwrap()], b"").fails(2);
        assert!(error.ends_with(expected), "{error}");
    }
}

/// The temporary file beside it is nobody's.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_named_alone() {
    let error = run(&["descriptors", "-o", "/proc/self/x"], b"").fails(1);
    assert_eq!(error, "error: --output /proc/self/x: No such file or directory (os error 2)\n");
}

#[test]
fn a_file_for_call_is_an_argument() {
    let error = run(&["call", "DeviceTasks/CreateTask", "--file", "x"], b"").fails(2);
    assert!(error.contains("tip: '@FILE' is the request in a file"), "{error}");
}
