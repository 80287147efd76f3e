//! `google.protobuf.Any` loses nothing between JSON and bytes, whatever a schema does not know.

mod support;

use eset_protect::proto::era::common::data_definition as era;
use eset_protect::proto::eset::dotnod::automation::v1::{Action, DeviceTask};
use eset_protect::proto::eset_protect::v1::UnknownAny;
use eset_protect::proto::google::rpc::Status;
use eset_protect::protojson::{Reader, Writer};
use eset_protect::wkt::{Any, Duration, TypeRegistry, UnpackError};
use prost::Message;
use prost_reflect::DynamicMessage;
use support::POOL;
use support::exact::Exact;

use era::common::AllowedActions;
use era::task::os::{RunCommand, ShutdownComputer};

const SHUTDOWN: &str = "type.googleapis.com/Era.Common.DataDefinition.Task.OS.ShutdownComputer";

fn read(json: &str) -> Any {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn write(any: &Any) -> String {
    serde_json::to_string(any).unwrap()
}

/// Through the bytes of the gRPC wire.
fn over_grpc(any: &Any) -> Any {
    Any::decode(any.encode_to_vec().as_slice()).unwrap()
}

/// JSON → bytes → JSON gives the same values, and the second time the same bytes.
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
            assert_eq!(write(&read(&json)).matches(number).count(), 2, "{json}");
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
        // Nobody may take it for an empty message of the type that it is not encoded as.
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
fn any_lies_in_any() {
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
        ("Empty", "{}"),
    ] {
        let url = format!("type.googleapis.com/google.protobuf.{name}");
        assert_lossless(&format!(r#"{{"@type":"{url}","value":{value}}}"#));
        assert_lossless(&format!(r#"{{"value":{value},"@type":"{url}"}}"#));
        assert_lossless(&format!(r#"{{"@type":"{url}","added":[1.0],"value":{value}}}"#));
        if name != "Empty" {
            let error = serde_json::from_str::<Any>(&format!(r#"{{"@type":"{url}"}}"#));
            assert!(error.unwrap_err().to_string().contains("value"), "{name}");
        }
    }
    // References disagree on Empty; both forms are read.
    let url = "type.googleapis.com/google.protobuf.Empty";
    let expected = Any { type_url: url.to_owned(), value: Default::default() };
    assert_eq!(read(&format!(r#"{{"@type":"{url}"}}"#)), expected);
    assert_eq!(read(&format!(r#"{{"@type":"{url}","value":{{}}}}"#)), expected);
    let any = read(r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.5s"}"#);
    assert_eq!(any.unpack(), Ok(Duration { seconds: 1, nanos: 500_000_000 }));
}

#[test]
fn an_empty_any_is_an_empty_object() {
    assert_eq!(read("{}"), Any::default());
    assert_eq!(write(&Any::default()), "{}");
}

#[test]
fn what_is_no_any_is_refused() {
    for (json, problem) in [
        (r#"{"a":1}"#, "`@type`"),
        (r#"{"@type":""}"#, "full name"),
        (r#"{"@type":"type.googleapis.com/"}"#, "full name"),
        (r#"{"@type":1}"#, "string"),
        (r#"{"@type":null}"#, "string"),
        ("[]", "`@type`"),
        (r#""x""#, "`@type`"),
        (r#"{"@type":"x.Y","@type":"x.Y"}"#, "twice"),
        (r#"{"a":1,"@type":"x.Y","@type":"x.Y"}"#, "twice"),
        (r#"{"@type":"x.Y","a":1,"a":1}"#, "`a` stands twice"),
        (r#"{"a":1,"\u0061":1,"@type":"x.Y"}"#, "`a` stands twice"),
        (&shutdown(r#","added":1,"added":1"#), "`added` stands twice"),
        (&shutdown(r#","@type":"x""#), "twice"),
        (&shutdown(r#","restart":true,"restart":true"#), "restart"),
    ] {
        let error = serde_json::from_str::<Any>(json).unwrap_err().to_string();
        assert!(error.contains(problem), "{json}: {error}");
    }
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
        .args(["--exact", "unknown_enum_names_reach_a_fresh_process", "--nocapture"])
        .env(BYTES, bytes.join(" "))
        .output()
        .unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    let line = output.lines().find_map(|line| line.split_once("JSON ")).expect("the child's JSON");
    assert_eq!(Exact::parse(line.1), Exact::parse(&json));
}

#[test]
fn repack_keeps_unknown_members() {
    let mut any = read(&shutdown(r#","restart":true,"added":1.0,"actions":{"added":[2]}"#));
    let mut message: ShutdownComputer = any.unpack().unwrap();
    message.restart = Some(false);
    any.repack(&message).unwrap();
    let expected = shutdown(r#","restart":false,"actions":{"added":[2]},"added":1.0"#);
    assert_eq!(Exact::parse(&write(&any)), Exact::parse(&expected));

    // The place of one of them is gone.
    message.actions = None;
    any.repack(&message).unwrap();
    let expected = shutdown(r#","restart":false,"added":1.0"#);
    assert_eq!(Exact::parse(&write(&any)), Exact::parse(&expected));

    let before = any.clone();
    let error = any.repack(&RunCommand::default()).unwrap_err();
    assert!(matches!(error, UnpackError::Type { .. }), "{error}");
    assert_eq!(any, before);
}

#[test]
fn repack_with_another_enum_value_does_not_bring_the_unknown_one_back() {
    use era::common::allowed_actions::Postpone;
    for postpone in [Postpone::OneDay, Postpone::Cannot] {
        let mut any = read(&shutdown(r#","actions":{"postpone":"TwoYears","added":1}"#));
        let actions = AllowedActions { postpone: Some(postpone.into()), ..Default::default() };
        any.repack(&ShutdownComputer { actions: Some(actions), restart: None }).unwrap();
        let name = postpone.as_str_name();
        let expected = shutdown(&format!(r#","actions":{{"postpone":"{name}","added":1}}"#));
        assert_eq!(Exact::parse(&write(&any)), Exact::parse(&expected));
    }
    let mut any = read(&shutdown(r#","actions":{"postpone":"TwoYears"}"#));
    let actions = AllowedActions { cancel_action: Some(true), postpone: None };
    any.repack(&ShutdownComputer { actions: Some(actions), restart: None }).unwrap();
    let expected = shutdown(r#","actions":{"cancelAction":true}"#);
    assert_eq!(Exact::parse(&write(&any)), Exact::parse(&expected), "cleared is cleared");
}

#[test]
fn bytes_of_an_unregistered_type_are_an_error_that_says_which_and_where() {
    let any = Any { type_url: "example.com/x.Y".to_owned(), value: vec![8, 1].into() };
    let action = Action { name: String::new(), params: Some(any) };
    let task = DeviceTask { action: Some(action), ..Default::default() };
    let error = serde_json::to_string(&task).unwrap_err().to_string();
    assert!(error.contains("`example.com/x.Y`"), "{error}");
    assert!(error.contains("`action.params`"), "{error}");
    assert!(error.contains("not registered"), "{error}");

    let status = Status { details: vec![Any::default(), Any::pack(&task)], ..Default::default() };
    let error = serde_json::to_string(&status).unwrap_err().to_string();
    assert!(error.contains("details[1]") && error.contains("`example.com/x.Y`"), "{error}");
}

#[test]
fn corrupt_bytes_are_an_error_that_says_which_and_where() {
    let any = Any { type_url: SHUTDOWN.to_owned(), value: vec![0xff].into() };
    assert!(any.unknown_members().is_err());
    let action = Action { name: String::new(), params: Some(any) };
    let error = serde_json::to_string(&action).unwrap_err().to_string();
    assert!(error.contains("`params`") && error.contains(SHUTDOWN), "{error}");
}

/// Hostile ride-along fields: errors or harmless, never two `@type`s, never a stack overflow.
#[test]
fn hostile_unknown_members_do_no_harm() {
    use eset_protect::proto::eset_protect::v1::{UnknownMember, UnknownMembers};
    let ride = |pointer: String, json: String| {
        let members = UnknownMembers { members: vec![UnknownMember { pointer, json }] };
        let mut value = Vec::new();
        prost::encoding::message::encode(19_777, &members, &mut value);
        serde_json::to_string(&Any { type_url: SHUTDOWN.to_owned(), value: value.into() })
    };
    for (pointer, json) in [
        ("a".to_owned(), "1".to_owned()),
        (String::new(), "1".to_owned()),
        ("/@type".to_owned(), "\"x.Y\"".to_owned()),
        ("/a".to_owned(), "1,\"b\":2".to_owned()),
        ("/a".to_owned(), String::new()),
        ("/a".to_owned(), "[".repeat(100_000) + &"]".repeat(100_000)),
        ("/a".repeat(1_000_000), "1".to_owned()),
    ] {
        let start: String = pointer.chars().take(20).collect();
        assert!(ride(pointer, json).is_err(), "{start}");
    }
    assert_eq!(ride("/a".to_owned(), "1".to_owned()).unwrap(), shutdown(r#","a":1"#));
    assert_eq!(ride("/a/b".to_owned(), "1".to_owned()).unwrap(), shutdown(""));
}

#[test]
fn hostile_unknown_anys_are_errors() {
    for (type_url, json) in [
        ("x.Y", ""),
        ("x.Y", "1"),
        ("x.Y", "[]"),
        ("x.Y", "{} {}"),
        ("x.Y", "{\"a\":}"),
        ("x.Y", "{\"@type\":\"x.Z\"}"),
        ("x.Y", "{\"a\":1,\"a\":1}"),
        ("", "{}"),
    ] {
        let unknown = UnknownAny { type_url: type_url.to_owned(), json: json.to_owned() };
        let error = serde_json::to_string(&Any::pack(&unknown)).unwrap_err().to_string();
        assert!(error.contains("JSON"), "{json}: {error}");
    }
}

#[test]
fn a_registry_adds_types_for_a_scope() {
    // Any message with both forms will do: one of the crate's under another name.
    #[derive(Clone, PartialEq, Message)]
    struct Mine {
        #[prost(string, tag = "1")]
        text: String,
    }
    impl prost::Name for Mine {
        const NAME: &'static str = "Mine";
        const PACKAGE: &'static str = "example.v1";
    }
    impl serde::Serialize for Mine {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeStruct;
            let mut message = serializer.serialize_struct("Mine", 1)?;
            message.serialize_field("text", &self.text)?;
            message.end()
        }
    }
    impl<'de> serde::Deserialize<'de> for Mine {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let mut members =
                std::collections::BTreeMap::<String, String>::deserialize(deserializer)?;
            Ok(Self { text: members.remove("text").unwrap_or_default() })
        }
    }
    impl eset_protect::codegen::JsonMessage for Mine {}

    let registry = TypeRegistry::default().with::<Mine>();
    assert!(registry.contains("example.v1.Mine"));
    assert!(registry.names().contains(&"example.v1.Mine".to_owned()));
    let json = r#"{"@type":"example.com/example.v1.Mine","text":"t"}"#;
    let packed = Any {
        type_url: "example.com/example.v1.Mine".to_owned(),
        value: Mine { text: "t".to_owned() }.encode_to_vec().into(),
    };
    for json in [json, r#"{"text":"t","@type":"example.com/example.v1.Mine"}"#] {
        let any = Reader::new().registry(registry.clone()).read::<Any>(json.as_bytes()).unwrap();
        assert_eq!(any, packed);
    }
    let written = Writer::new().registry(registry).write(&packed).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), json);

    // Outside the scope the type is unknown again.
    assert!(serde_json::to_string(&packed).is_err());
    assert!(read(json).unknown().is_some());
}

#[test]
fn the_bytes_are_a_message_to_every_decoder() {
    let any = read(&shutdown(r#","restart":true,"added":1,"actions":{"postpone":"TwoYears"}"#));
    let plain = ShutdownComputer::decode(any.value.clone()).unwrap();
    assert_eq!(plain.restart, Some(true));
    assert_eq!(any.unpack::<ShutdownComputer>().unwrap(), plain);

    let descriptor =
        POOL.get_message_by_name("Era.Common.DataDefinition.Task.OS.ShutdownComputer").unwrap();
    let dynamic = DynamicMessage::decode(descriptor, any.value.clone()).unwrap();
    assert_eq!(dynamic.get_field_by_name("restart").unwrap().as_bool(), Some(true));
    let extra: Vec<_> = dynamic.unknown_fields().map(|field| field.number()).collect();
    assert_eq!(extra, [19_777], "one field, in the range that the language reserves");
    assert_eq!(dynamic.encode_to_vec(), any.value, "a decoder that keeps fields keeps it");
}

#[test]
fn unpack_says_what_it_found() {
    let any = Any::pack(&RunCommand::default());
    let error = any.unpack::<ShutdownComputer>().unwrap_err().to_string();
    assert!(error.contains("ShutdownComputer") && error.contains("RunCommand"), "{error}");
    let error = Any::default().unpack::<ShutdownComputer>().unwrap_err().to_string();
    assert!(error.contains("without a type URL"), "{error}");
    let broken = Any { value: vec![0xff].into(), ..any };
    assert!(matches!(broken.unpack::<RunCommand>(), Err(UnpackError::Decode { .. })));
}

mod random {
    //! Random members that no schema has, in random messages of every known type and of none.

    use super::*;
    use proptest::prelude::{TestCaseError, any, prop_assert_eq, proptest};
    use proptest::sample::Index;
    use proptest::test_runner::TestRunner;
    use prost_reflect::{Kind, MessageDescriptor};
    use support::exact::{names, values};
    use support::random::message;
    use support::tape::Tape;
    use support::{all_types, config};

    /// A member to add and where: among the objects that are messages.
    type Addition = (Index, String, Exact);

    fn fail(error: impl ToString) -> TestCaseError {
        TestCaseError::fail(error.to_string())
    }

    /// JSON → bytes → JSON → bytes: nothing changes.
    fn check(json: &Exact) -> Result<(), TestCaseError> {
        let any: Any = serde_json::from_str(&json.to_string()).map_err(fail)?;
        let back = serde_json::to_string(&over_grpc(&any)).map_err(fail)?;
        prop_assert_eq!(&Exact::parse(&back), json);
        prop_assert_eq!(serde_json::from_str::<Any>(&back).map_err(fail)?, any);
        Ok(())
    }

    proptest! {
        #![proptest_config(config(1000))]

        #[test]
        fn any_json_of_an_unknown_type_is_a_fixpoint(
            members in proptest::collection::btree_map(names(), values(), 0..6),
            url in "(type.googleapis.com/)?[a-z]{1,5}\\.[A-Z][a-z]{0,5}",
        ) {
            let mut members = members;
            members.insert("@type".to_owned(), Exact::Text(url));
            check(&Exact::Object(members))?;
        }
    }

    #[test]
    fn unknown_members_anywhere_in_any_known_type_are_a_fixpoint() {
        let additions = || proptest::collection::vec((any::<Index>(), names(), values()), 1..5);
        for descriptor in all_types() {
            let name = descriptor.full_name();
            // Its JSON is the JSON that it preserves.
            if name == "eset_protect.v1.UnknownAny" {
                continue;
            }
            let tape = proptest::collection::vec(any::<u8>(), 0..200);
            let result = TestRunner::new(config(100)).run(&(tape, additions()), |(tape, add)| {
                let message = message(&descriptor, &mut Tape::new(&tape));
                let packed = Any {
                    type_url: format!("type.googleapis.com/{name}"),
                    value: prost_reflect::prost::Message::encode_to_vec(&message).into(),
                };
                let mut json = Exact::parse(&serde_json::to_string(&packed).map_err(fail)?);
                for addition in &add {
                    insert(&mut json, addition);
                }
                check(&json)
            });
            if let Err(failure) = result {
                panic!("{name}: {failure}");
            }
        }
    }

    fn insert(json: &mut Exact, (place, name, value): &Addition) {
        let any = POOL.get_message_by_name("google.protobuf.Any").unwrap();
        let mut places = 0;
        visit(json, &any, &mut |_| places += 1);
        if places == 0 {
            return;
        }
        let mut until = place.index(places);
        visit(json, &any, &mut |members| {
            if until == 0 {
                members.entry(name.clone()).or_insert_with(|| value.clone());
            }
            until = until.wrapping_sub(1);
        });
    }

    /// Calls with the members of each object that is a message inside an `Any`.
    fn visit(
        json: &mut Exact,
        descriptor: &MessageDescriptor,
        call: &mut dyn FnMut(&mut std::collections::BTreeMap<String, Exact>),
    ) {
        let mut descriptor = descriptor.clone();
        let Some(members) = json.object() else { return };
        if descriptor.full_name() == "google.protobuf.Any" {
            let Some(Exact::Text(url)) = members.get("@type") else { return };
            descriptor = POOL.get_message_by_name(url.rsplit('/').next().unwrap()).unwrap();
            if let Some(value) = members.get_mut("value")
                && descriptor.full_name().starts_with("google.protobuf.")
            {
                if descriptor.full_name() == "google.protobuf.Any" {
                    visit(value, &descriptor, call);
                }
                return call(members);
            }
        }
        for field in descriptor.fields() {
            let Some(value) = members.get_mut(field.json_name()) else { continue };
            match (field.kind(), value) {
                (Kind::Message(entry), Exact::Object(entries)) if field.is_map() => {
                    if let Kind::Message(message) = entry.map_entry_value_field().kind() {
                        entries.values_mut().for_each(|value| visit(value, &message, call));
                    }
                }
                (Kind::Message(message), Exact::List(list)) => {
                    list.iter_mut().for_each(|value| visit(value, &message, call));
                }
                (Kind::Message(message), value) => visit(value, &message, call),
                // A name that the schema does not have, beside the real ones.
                (Kind::Enum(_), value) if *value == Exact::Text("OneDay".to_owned()) => {
                    *value = Exact::Text("OneDayMore".to_owned());
                }
                _ => {}
            }
        }
        call(members);
    }
}
