//! `google.protobuf.Any` loses nothing between JSON and bytes, whatever the schema does not know.

mod foreign;
mod hostile;
mod late_type;
mod later;
mod random;
mod typed;
mod without_json;

use crate::support::messages::POOL;
use crate::support::messages::exact::Exact;
use eset_protect::proto::era::common::data_definition as era;
use eset_protect::proto::eset::dotnod::automation::v1::{Action, DeviceTask};
use eset_protect::proto::eset_protect::v1::UnknownAny;
use eset_protect::proto::google::rpc::Status;
use eset_protect::protojson::{Reader, Writer};
use eset_protect::wkt::{Any, Duration, Empty, TypeRegistry, UnpackError};
use prost::Message;
use prost_reflect::DynamicMessage;

use era::common::AllowedActions;
use era::task::os::{RunCommand, ShutdownComputer};

const SHUTDOWN: &str = "type.googleapis.com/Era.Common.DataDefinition.Task.OS.ShutdownComputer";

fn read(json: &str) -> Any {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn write(any: &Any) -> String {
    serde_json::to_string(any).unwrap()
}

/// Encodes and decodes as the gRPC wire does.
fn over_grpc(any: &Any) -> Any {
    Any::decode(any.encode_to_vec().as_slice()).unwrap()
}

/// Asserts that JSON → bytes → JSON keeps all values, and that a second round trip gives identical bytes.
#[track_caller]
fn assert_lossless(json: &str) -> Any {
    let any = read(json);
    let back = write(&over_grpc(&any));
    assert_eq!(Exact::parse(&back), Exact::parse(json));
    assert_eq!(read(&back), any, "{json}");
    any
}

fn shutdown(rest: &str) -> String {
    format!(r#"{{"@type":"{SHUTDOWN}"{rest}}}"#)
}

#[test]
fn unknown_members_of_a_known_type_survive() {
    for rest in [
        r#","added":1"#,
        r#","restart":true,"added":{"a":[1,{"b":null}]},"other":"x""#,
        r#","actions":{"cancelAction":true,"added":[]}"#,
        r#","actions":{"added":1},"added":2"#,
        r#","added":null"#,
        r#","added":{"restart":false,"@type":"x"}"#,
        r#","Restart":true"#,
    ] {
        let any = assert_lossless(&shutdown(rest));
        assert!(any.is::<ShutdownComputer>());
        assert!(!any.unknown_members().unwrap().is_empty(), "{rest}");
    }
}

#[test]
fn unknown_members_with_odd_names_survive() {
    for name in
        ["", "/", "~", "~1", "~0", "a/b~c", "\\\"", "ü", "😀", "\\u0000", " ", "0", "@Type", "."]
    {
        assert_lossless(&shutdown(&format!(r#","{name}":1,"actions":{{"{name}":2}}"#)));
    }
}

#[test]
fn unknown_members_in_lists_and_maps_survive() {
    let policy = |rest: &str| {
        let url = "type.googleapis.com/eset.dotnod.policy_management.v2.Policy";
        format!(r#"{{"@type":"{url}","features":[{rest}]}}"#)
    };
    for rest in [
        r#"{"featureId":1,"added":1},{},{"added":2}"#,
        r#"{"flags":{"a/b":{"readOnly":true,"added":1},"":{"added":2},"~":{}},"added":[{}]}"#,
        r#"{"configuration":{"@type":"x.Y","z":1},"added":1}"#,
    ] {
        let any = assert_lossless(&policy(rest));
        assert!(!any.unknown_members().unwrap().is_empty(), "{rest}");
    }
    let pointers: Vec<_> = read(&policy(r#"{},{"flags":{"a/b":{"c~":1}}}"#))
        .unknown_members()
        .unwrap()
        .into_iter()
        .map(|member| (member.pointer, member.json))
        .collect();
    assert_eq!(pointers, [("/features/1/flags/a~1b/c~0".to_owned(), "1".to_owned())]);
}

const NUMBERS: &[&str] = &[
    "1e400",
    "-1E-400",
    "1.10",
    "1.0",
    "-0",
    "-0.0",
    "0e0",
    "1E+2",
    "123456789012345678901234567890",
    "-123456789012345678901234567890",
    "18446744073709551616",
    "9007199254740993",
    "0.1000000000000000055511151231257827",
];

#[test]
fn numbers_stay_exact() {
    for number in NUMBERS {
        let known = shutdown(&format!(r#","added":{number},"actions":{{"added":[{number}]}}"#));
        let unknown = format!(r#"{{"@type":"x.Y","a":{number},"b":[{number}]}}"#);
        for json in [known, unknown] {
            assert_lossless(&json);
            let any = read(&json);
            assert_eq!(write(&any).matches(number).count(), 2, "{json}");
            let pretty = serde_json::to_string_pretty(&any).unwrap();
            assert_eq!(pretty.matches(number).count(), 2, "{pretty}");
            assert_eq!(pretty.split_whitespace().collect::<String>(), write(&any));
            let mut written = Vec::new();
            serde_json::to_writer(std::io::Cursor::new(&mut written), &any).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), write(&any));
        }
    }
}

#[test]
fn unknown_types_survive_wherever_the_type_stands() {
    for json in [
        r#"{"@type":"type.googleapis.com/x.Y","b":1,"a":{"c":[]}}"#,
        r#"{"b":1,"a":{"c":[]},"@type":"type.googleapis.com/x.Y"}"#,
        r#"{"b":1,"@type":"type.googleapis.com/x.Y","a":{"c":[]}}"#,
    ] {
        let any = assert_lossless(json);
        // Otherwise a peer could read it as an empty message of the original type.
        assert_eq!(any.type_url, "type.googleapis.com/eset_protect.v1.UnknownAny");
        let unknown = any.unknown().unwrap();
        assert_eq!(unknown.type_url, "type.googleapis.com/x.Y");
        assert_eq!(unknown.json, r#"{"b":1,"a":{"c":[]}}"#, "the order is kept too");
        assert_eq!(write(&any), r#"{"@type":"type.googleapis.com/x.Y","b":1,"a":{"c":[]}}"#);
    }
    assert_lossless(r#"{"@type":"string"}"#);
    assert_lossless(r#"{"@type":"x.Y","@Type":1,"value":2}"#);
}

#[test]
fn known_types_are_read_wherever_the_type_stands() {
    let expected = Any::pack(&ShutdownComputer { restart: Some(true), actions: None });
    for json in [
        format!(r#"{{"@type":"{SHUTDOWN}","restart":true}}"#),
        format!(r#"{{"restart":true,"@type":"{SHUTDOWN}"}}"#),
        format!(r#"{{"actions":null,"@type":"{SHUTDOWN}","restart":true}}"#),
    ] {
        assert_eq!(read(&json), expected, "{json}");
    }
    let late = format!(r#"{{"added":1,"@type":"{SHUTDOWN}","restart":true,"more":{{}}}}"#);
    assert_lossless(&late);
}

#[test]
fn anys_nest() {
    let inner = shutdown(r#","restart":true,"added":1"#);
    for inner in [inner.as_str(), r#"{"@type":"x.Y","a":1}"#, "{}"] {
        let any = "type.googleapis.com/google.protobuf.Any";
        let one = format!(r#"{{"@type":"{any}","value":{inner}}}"#);
        let two = format!(r#"{{"@type":"{any}","value":{one},"added":2}}"#);
        let action = "type.googleapis.com/eset.dotnod.automation.v1.Action";
        let three = format!(r#"{{"@type":"{action}","name":"n","params":{two}}}"#);
        let unknown = format!(r#"{{"@type":"x.Z","nested":{three}}}"#);
        let last = format!(r#"{{"value":{one},"@type":"{any}"}}"#);
        for json in [one, two, three, unknown, last] {
            assert_lossless(&json);
        }
    }
    let json = format!(
        r#"{{"@type":"type.googleapis.com/google.protobuf.Any","value":{}}}"#,
        shutdown(r#","restart":true"#)
    );
    let inner: Any = read(&json).unpack().unwrap();
    assert_eq!(inner.unpack::<ShutdownComputer>().unwrap().restart, Some(true));
}

#[test]
fn well_known_types_have_the_member_value() {
    for (name, value) in [
        ("Timestamp", r#""2030-01-01T00:00:00Z""#),
        ("Duration", r#""-1.500s""#),
        ("FieldMask", r#""a,bC.d""#),
        ("BoolValue", "true"),
        ("BytesValue", r#""/w==""#),
        ("DoubleValue", r#""NaN""#),
        ("FloatValue", "1.5"),
        ("Int32Value", "-1"),
        ("Int64Value", r#""-1""#),
        ("StringValue", r#""""#),
        ("UInt32Value", "4294967295"),
        ("UInt64Value", r#""18446744073709551615""#),
        ("Struct", r#"{"a":null,"@type":"b"}"#),
        ("ListValue", "[null,[],{}]"),
        ("Value", "null"),
        ("Value", "[1.5]"),
    ] {
        let url = format!("type.googleapis.com/google.protobuf.{name}");
        assert_lossless(&format!(r#"{{"@type":"{url}","value":{value}}}"#));
        assert_lossless(&format!(r#"{{"value":{value},"@type":"{url}"}}"#));
        assert_lossless(&format!(r#"{{"@type":"{url}","added":[1.0],"value":{value}}}"#));
        let error = serde_json::from_str::<Any>(&format!(r#"{{"@type":"{url}"}}"#));
        assert!(error.unwrap_err().to_string().contains("value"), "{name}");
    }
    let any = read(r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.5s"}"#);
    assert_eq!(any.unpack(), Ok(Duration { seconds: 1, nanos: 500_000_000 }));
}

/// Empty has no JSON form of its own in an `Any`. Some implementations still write `"value": {}`.
#[test]
fn an_any_of_empty_has_only_its_type() {
    let empty =
        |rest: &str| format!(r#"{{"@type":"type.googleapis.com/google.protobuf.Empty"{rest}}}"#);
    let expected = Any::pack(&Empty {});
    assert_eq!(write(&expected), empty(""));
    for rest in ["", r#","value":{}"#, r#","value": { }"#] {
        assert_eq!(read(&empty(rest)), expected);
        let strict = Reader::new().strict(true).read::<Any>(empty(rest).as_bytes());
        assert_eq!(strict.unwrap(), expected);
    }
    for rest in [r#","added":1"#, r#","value":{"a":1}"#, r#","value":1"#, r#","value":{},"a":1"#] {
        assert!(Reader::new().strict(true).read::<Any>(empty(rest).as_bytes()).is_err(), "{rest}");
        let any = read(&empty(rest));
        assert_eq!(any.unpack(), Ok(Empty {}));
        assert_eq!(write(&any), empty(&rest.replace(r#","value":{},"#, ",")));
    }
    assert!(serde_json::from_str::<Any>(&empty(r#","value":{},"value":{}"#)).is_err());
    // As a field it is an object of members that nobody knows.
    assert_eq!(serde_json::from_str::<Empty>(r#"{"a":1}"#).unwrap(), Empty {});
    assert!(Reader::new().strict(true).read::<Empty>(br#"{"a":1}"#).is_err());
}

#[test]
fn an_empty_any_is_an_empty_object() {
    assert_eq!(read("{}"), Any::default());
    assert_eq!(write(&Any::default()), "{}");
}

#[test]
fn unknown_enum_names_survive_and_travel_with_the_bytes() {
    let any = assert_lossless(&shutdown(r#","actions":{"postpone":"TwoYears"}"#));
    let members = any.unknown_members().unwrap();
    let found: Vec<_> = members.iter().map(|m| (m.pointer.as_str(), m.json.as_str())).collect();
    assert_eq!(found, [("/actions/postpone", "\"TwoYears\"")]);
    let postpone = any.unpack::<ShutdownComputer>().unwrap().actions.unwrap().postpone.unwrap();
    assert!(postpone < 0, "no value of ESET's enum: {postpone}");
}

#[test]
fn unknown_enum_names_reach_a_fresh_process() {
    const BYTES: &str = "ESET_PROTECT_TEST_ANY";
    let json = shutdown(r#","actions":{"postpone":"OnlyTheParentMetThisName"}"#);
    if let Ok(bytes) = std::env::var(BYTES) {
        let bytes: Vec<u8> = bytes.split(' ').map(|byte| byte.parse().unwrap()).collect();
        println!("JSON {}", write(&Any::decode(bytes.as_slice()).unwrap()));
        return;
    }
    let bytes: Vec<_> = read(&json).encode_to_vec().iter().map(u8::to_string).collect();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "any::unknown_enum_names_reach_a_fresh_process", "--nocapture"])
        .env(BYTES, bytes.join(" "))
        .output()
        .unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    let line = output.lines().find_map(|line| line.split_once("JSON ")).expect("the child's JSON");
    assert_eq!(Exact::parse(line.1), Exact::parse(&json));
}
