//! Updates: an `update_mask` says what they change.

use serde_json::Value;

use crate::command::{Server, run};

const UPDATE: [&str; 2] = ["incidents", "update-basic-attributes"];

/// Runs an update of a seeded incident, and returns the incident before and after it.
fn update(args: &[&str], input: &str) -> (Value, Value) {
    let server = Server::seeded();
    let list: Vec<Value> = server.run(&["incidents", "list", "-o", "json"]).json_lines();
    let is_it = |incident: &&Value| incident["assigneeUuid"] != "" && incident["severity"] != 0;
    let before = list.iter().find(is_it).unwrap().clone();
    let uuid = before["uuid"].as_str().unwrap();
    let input = input.replace("UUID", uuid);
    let named: &[&str] = if input.is_empty() { &[uuid] } else { &[] };
    server.run_with(&[&UPDATE, named, args].concat(), input.as_bytes()).ok();
    (
        before.clone(),
        server.run(&["incidents", "get", uuid, "-o", "json"]).json::<Value>()["incident"].take(),
    )
}

#[test]
fn an_update_changes_what_is_given_even_to_nothing() {
    let changed = |args: &[&str], input: &str| {
        let (before, after) = update(args, input);
        let members = before.as_object().unwrap().iter();
        let changed =
            members.filter(|(name, value)| *name != "updateTime" && after[*name] != **value);
        changed.map(|(name, _)| (name.clone(), after[name].clone())).collect::<Vec<_>>()
    };
    let to = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    assert_eq!(changed(&["--assignee", ""], ""), [to("assigneeUuid", "")]);
    assert_eq!(changed(&["--description", "hello"], ""), [to("description", "hello")]);
    let both = [to("assigneeUuid", ""), to("description", "hello")];
    // A field that the mask names and nothing sets is cleared, in either spelling.
    for mask in
        ["assignee_uuid,description", "description,assigneeUuid", "assignee_uuid, description"]
    {
        assert_eq!(changed(&["--update-mask", mask, "--description", "hello"], ""), both, "{mask}");
    }
    // Of a file, what is set counts; its defaults may be what a program printed.
    let file = r#"{"incidentUuid":"UUID","displayName":"","description":"hello","updateMask":""}"#;
    assert_eq!(changed(&["--file", "-"], file), [to("description", "hello")]);
    assert_eq!(changed(&["--file", "-", "--assignee", ""], file), both);
    let file = r#"{"incidentUuid":"UUID","description":"hello","update_mask":"description,assignee_uuid"}"#;
    assert_eq!(changed(&["--file", "-"], file), both);
}

#[test]
fn a_mask_that_contradicts_the_update_is_refused() {
    let call = ["call", "Incidents/UpdateIncidentBasicAttributes", "--incident-uuid", "x"];
    for (args, expected) in [
        (&[][..], "the request changes nothing; expected one of --display-name, --description"),
        (
            &["--update-mask", "severity", "--description", "hello"],
            "--update-mask: expected description in it, too, since the request sets that; found \"severity\"",
        ),
        (
            &["--update-mask", "foo"],
            "--update-mask: expected fields to update, found \"foo\"; there are",
        ),
        (&["--update-mask", "assignee_uid"], "found \"assignee_uid\"; did you mean assignee_uuid?"),
        (&["--update-mask", "incidentUuid"], "expected fields to update, found \"incidentUuid\""),
    ] {
        for command in [&[UPDATE[0], UPDATE[1], "x"][..], &call] {
            let error = run(&[command, args].concat(), b"").fails(2);
            assert!(error.contains(expected), "{args:?}: {error}");
        }
    }
    let file = r#"{"incidentUuid":"x","severity":"INCIDENT_SEVERITY_LEVEL_LOW","updateMask":"description"}"#;
    let error = run(&[&UPDATE[..], &["--file", "-"]].concat(), file.as_bytes()).fails(2);
    assert!(error.contains("updateMask: expected severity in it"), "{error}");
    // The example is a call that works.
    let help = run(&[&UPDATE[..], &["--help"]].concat(), b"").ok();
    assert!(help.contains("update-basic-attributes INCIDENT --display-name TEXT\n"), "{help}");
}
