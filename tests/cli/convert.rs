//! `eset-protect convert`.

use eset_protect::automation::v1::DeviceTask;
use eset_protect::params::{OnDemandScan, RunCommand};
use eset_protect::wkt::Any;
use prost::Message;

use crate::command::{Ran, run};

fn convert(name: &str, from: &str, to: &str, input: &[u8]) -> Ran {
    run(&["convert", "--type", name, "--from", from, "--to", to], input)
}

const JSON: &str = concat!(
    r#"{"displayName":"Scan","action":{"name":"OnDemandScan","params":{"@type":"#,
    r#""type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan","#,
    r#""cleaningEnabled":true,"budget":12345678901234567890}}}"#
);

#[test]
fn json_to_binary_and_back_is_exact() {
    let name = "eset.dotnod.automation.v1.DeviceTask";
    let binary = convert(name, "json", "binary", JSON.as_bytes());
    assert_eq!((binary.code, &*binary.err), (0, ""));
    let task = DeviceTask::decode(&*binary.out).unwrap();
    let scan: OnDemandScan = task.action.unwrap().params.unwrap().unpack().unwrap();
    assert_eq!(scan.cleaning_enabled, Some(true));
    let json = convert(name, "binary", "json", &binary.out).ok();
    assert_eq!(json, format!("{JSON}\n"));
}

#[test]
fn the_same_form_normalises() {
    let json =
        br#" { "task_uuid" : "t",  "versionId": "07e0", "display_name": "x", "uuid": null } "#;
    let ran = convert("DeviceTask", "json", "json", json);
    assert_eq!(ran.fails(2).lines().count(), 1);
    let json = br#" { "version_id": "7",  "unknown": [1], "display_name": "x", "uuid": null } "#;
    let out = convert("DeviceTask", "json", "json", json).ok();
    assert_eq!(out, "{\"versionId\":\"7\",\"displayName\":\"x\"}\n");
    // A duplicate field: the last one wins.
    let twice = [0x1a, 1, b'a', 0x1a, 1, b'b'];
    let out = convert("DeviceTask", "binary", "binary", &twice).out;
    assert_eq!(out, [0x1a, 1, b'b']);
}

#[test]
fn short_names_and_well_known_types() {
    let out = convert("RunCommand", "binary", "json", &{ RunCommand::new("dir").encode_to_vec() });
    assert_eq!(out.ok(), "{\"commandLine\":\"dir\"}\n");
    let any = Any::pack(&RunCommand::new("dir")).encode_to_vec();
    let json = convert("Any", "binary", "json", &any).ok();
    assert!(json.starts_with(r#"{"@type":"type.googleapis.com/Era."#), "{json}");
    let time =
        convert(".google.protobuf.Timestamp", "json", "json", b"\"1970-01-01T01:00:00+01:00\"");
    assert_eq!(time.ok(), "\"1970-01-01T00:00:00Z\"\n");
    // The empty message has no bytes.
    assert_eq!(convert("Empty", "binary", "json", b"").ok(), "{}\n");
    assert_eq!(convert("Empty", "json", "binary", b"{}").ok(), "");
}

#[test]
fn types_are_listed_and_each_can_be_converted() {
    let list = run(&["convert", "--list"], b"").ok();
    assert!(list.lines().any(|name| name == "eset.dotnod.policy_management.v2.Policy"));
    assert!(list.lines().count() > 60, "{list}");
    for name in list.lines() {
        // No bytes are valid for every type, but not each of them has a JSON form.
        let json = convert(name, "binary", "json", b"");
        if json.code == 0 {
            let binary = convert(name, "json", "binary", &json.out);
            assert_eq!((binary.code, &*binary.err), (0, ""), "{name}");
        } else {
            json.fails(2);
        }
        convert(name, "binary", "json", b"\xff\xff\xff").fails(2);
        convert(name, "json", "binary", b"[[[").fails(2);
    }
}

#[test]
fn wrong_types_are_told_with_near_ones() {
    for (name, near) in [
        ("DeviceTsak", "did you mean eset.dotnod.automation.v1.DeviceTask"),
        (
            "eset.dotnod.automation.v1.DeviceTask2",
            "did you mean eset.dotnod.automation.v1.DeviceTask or ",
        ),
        ("devicetask", "eset.dotnod.automation.v1.DeviceTask"),
        ("Policy2", "eset.dotnod.policy_management.v2.Policy or "),
    ] {
        let error = convert(name, "json", "json", b"{}").fails(2);
        assert!(error.starts_with(&format!("error: --type {name:?}: expected")), "{error}");
        assert!(error.contains(near), "{error}");
    }
    for name in ["", "nothing.like.it.Whatsoever", &"x".repeat(5000), "\u{1b}[31m"] {
        let error = convert(name, "json", "json", b"{}").fails(2);
        assert!(error.contains("`convert --list` shows all"), "{error}");
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}

#[test]
fn wrong_input_says_where_and_prints_nothing() {
    for (from, to, input, expected) in [
        ("json", "binary", &b"{"[..], "EOF while parsing"),
        ("json", "binary", b"", "it is empty"),
        ("json", "json", b"{} {}", "trailing characters"),
        ("json", "json", b"{\"\xe4\":1}", "line 1: expected text in UTF-8 or UTF-16"),
        ("json", "json", br#"{"action":{"params":{"@type":1}}}"#, "field `action.params.@type`"),
        (
            "json",
            "json",
            br#"{"targets":{"devicesUuids":["a",2]}}"#,
            "field `targets.devicesUuids[1]`",
        ),
        ("binary", "json", b"\xff", "decode"),
        ("binary", "binary", b"\x0a\x7fabc", "decode"),
        ("binary", "json", b"\x0a\x01\xff", "UTF-8"),
    ] {
        let error = convert("DeviceTask", from, to, input).fails(2);
        assert!(error.contains("is not a valid eset.dotnod.automation.v1.DeviceTask: "), "{error}");
        assert!(error.contains(expected), "{input:?}: {error}");
    }
}

/// An Any of an unknown type: action { params { type_url: "a/b", value: "x" } }
const UNREGISTERED: &[u8] = b"\x2a\x0a\x12\x08\x0a\x03a/b\x12\x01x";

#[test]
fn an_any_of_an_unregistered_type_passes() {
    let json = convert("DeviceTask", "binary", "json", UNREGISTERED).ok();
    assert_eq!(json, "{\"action\":{\"params\":{\"@type\":\"a/b\",\"@value\":\"eA==\"}}}\n");
    assert_eq!(convert("DeviceTask", "json", "binary", json.as_bytes()).out, UNREGISTERED);
    assert_eq!(convert("DeviceTask", "binary", "binary", UNREGISTERED).out, UNREGISTERED);
}

#[test]
fn strict_refuses_what_the_type_does_not_have() {
    let strict = ["convert", "--type", "DeviceTask", "--from", "json", "--to", "json", "--strict"];
    let error = run(&strict, JSON.as_bytes()).fails(2);
    assert!(error.contains("field `action.params.budget`"), "{error}");
    let error = run(&strict, br#"{"source":"NEWER"}"#).fails(2);
    assert!(error.contains("source"), "{error}");
    assert_eq!(run(&strict, br#"{"uuid":"a"}"#).ok(), "{\"uuid\":\"a\"}\n");
    for action in [&br#"{"params":{"@type":"a/b"}}"#[..], br#"{"params":{"a":1}}"#] {
        let json = [b"{\"action\":", action, b"}"].concat();
        let error = run(&strict, &json).fails(2);
        assert!(error.contains("field `action.params`"), "{error}");
    }
    let from_binary =
        |to| ["convert", "--type", "DeviceTask", "--from", "binary", "--to", to, "--strict"];
    let error = run(&from_binary("json"), UNREGISTERED).fails(2);
    assert!(error.contains("field `action.params`") && error.contains("a/b"), "{error}");
    assert!(run(&from_binary("binary"), b"").fails(2).contains("--strict: it is for JSON"));
}

#[test]
fn wrong_flags_are_usage_errors() {
    for (args, expected) in [
        (&["convert"][..], "--type"),
        (&["convert", "--type", "Any", "--from", "json"], "--to"),
        (&["convert", "--type", "Any", "--from", "yaml", "--to", "json"], "json, binary"),
        (&["convert", "--list", "--strict"], "cannot be used with"),
        (&["convert", "--frobnicate"], "--frobnicate"),
    ] {
        let error = run(args, b"").fails(2);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}
