//! Data that the writer did not know but this crate does becomes part of the message in every view.

use added_service::proto::example::greeter::v1::{Greeting, greeting};
use era::common::allowed_actions::Postpone;
use eset_protect::automation::v1::{Trigger, trigger};
use eset_protect::policy_management::v2::{FeaturePolicy, Policy};
use eset_protect::proto::eset_protect::v1::{UnknownMember, UnknownMembers};
use eset_protect::protojson::unrecognized_enum_number;
use eset_protect::wkt::{Int32Value, Struct};
use prost::Name;

use super::*;

/// Builds the bytes that an older peer sends: a message and members unknown to its schema.
fn older<M: Message + Name>(message: &M, members: &[(&str, &str)]) -> Any {
    let members = members.iter().map(|(pointer, json)| UnknownMember {
        pointer: (*pointer).to_owned(),
        json: (*json).to_owned(),
    });
    let members = UnknownMembers { members: members.collect() };
    let mut any = Any::pack(message);
    let mut value = Vec::from(any.value);
    prost::encoding::message::encode(19_777, &members, &mut value);
    any.value = value.into();
    any
}

/// Asserts that every view of `any` equals `expected` and, as JSON, `json`.
#[track_caller]
fn assert_is<M: Message + Name + Default + PartialEq + std::fmt::Debug>(
    any: &Any,
    expected: &M,
    json: &str,
) {
    assert!(any.is::<M>());
    assert_eq!(any.unpack::<M>().as_ref(), Ok(expected));
    assert_eq!(Exact::parse(&write(any)), Exact::parse(json), "{}", write(any));
    let as_json = read(&write(any));
    assert_eq!(as_json.unpack::<M>().as_ref(), Ok(expected));
    assert_eq!(as_json.unknown_members(), any.unknown_members());

    let mut normal = any.clone();
    normal.normalize().unwrap();
    assert_eq!(normal.type_url, as_json.type_url);
    assert_eq!(M::decode(normal.value.clone()).unwrap(), *expected, "to every decoder");
    assert_eq!(normal.unknown_members(), any.unknown_members());
    let mut again = normal.clone();
    again.normalize().unwrap();
    assert_eq!(again, normal);

    let mut repacked = any.clone();
    repacked.repack(expected).unwrap();
    assert_eq!(Exact::parse(&write(&repacked)), Exact::parse(json));
}

fn typed<M: Name>(rest: &str) -> String {
    format!(r#"{{"@type":"{}"{rest}}}"#, M::type_url())
}

#[test]
fn a_now_declared_member_is_part_of_the_message() {
    let run = RunCommand { command_line: Some("dir".to_owned()), ..Default::default() };
    let expected = RunCommand { current_directory: Some("C:\\".to_owned()), ..run.clone() };
    let json = typed::<RunCommand>(r#","commandLine":"dir","currentDirectory":"C:\\""#);
    assert_is(&older(&run, &[("/currentDirectory", r#""C:\\""#)]), &expected, &json);
    let any = older(&run, &[("/added", "1.0"), ("/currentDirectory", r#""C:\\""#)]);
    let json = json.replace('}', r#","added":1.0}"#);
    assert_is(&any, &expected, &json);
    assert_eq!(any.unknown_members().unwrap().len(), 1);
    // A field that is set wins, and nothing appears twice.
    let set = older(&expected, &[("/currentDirectory", r#""D:\\""#), ("/added", "1.0")]);
    assert_is(&set, &expected, &json);
    assert_is(
        &older(&run, &[("/currentDirectory", "null")]),
        &run,
        &typed::<RunCommand>(r#","commandLine":"dir""#),
    );
}

#[test]
fn declared_members_of_nested_messages_lists_and_maps_too() {
    let actions = AllowedActions { cancel_action: Some(true), postpone: None };
    let shutdown = ShutdownComputer { actions: Some(actions), restart: None };
    let expected = ShutdownComputer {
        actions: Some(AllowedActions { postpone: Some(Postpone::OneDay.into()), ..actions }),
        restart: Some(true),
    };
    let name = Postpone::OneDay.as_str_name();
    let any = older(
        &shutdown,
        &[("/actions/postpone", &format!("{name:?}")), ("/actions/x", "1"), ("/restart", "true")],
    );
    let rest =
        format!(r#","restart":true,"actions":{{"cancelAction":true,"postpone":"{name}","x":1}}"#);
    assert_is(&any, &expected, &typed::<ShutdownComputer>(&rest));
    // A whole message that contains another unknown member.
    let any =
        older(&ShutdownComputer::default(), &[("/actions", r#"{"cancelAction":true,"x":[1.0]}"#)]);
    let rest = r#","actions":{"cancelAction":true,"x":[1.0]}"#;
    assert_is(&any, &shutdown, &typed::<ShutdownComputer>(rest));
    assert_eq!(any.unknown_members().unwrap()[0].pointer, "/actions/x");

    let feature = |id| FeaturePolicy { feature_id: id, ..Default::default() };
    let mut policy =
        Policy { features: vec![feature(1), feature(0), feature(3)], ..Default::default() };
    policy.features[2].flags.insert("a/b".to_owned(), Default::default());
    let before = policy.clone();
    policy.features[1].feature_id = 2;
    policy.features[2].flags.get_mut("a/b").unwrap().read_only = true;
    policy.display_name = "n".to_owned();
    let any = older(
        &before,
        &[
            ("/display_name", "\"n\""),
            ("/features/1/featureId", "2"),
            ("/features/2/x", "{}"),
            ("/features/2/featureId", "9"),
            ("/features/2/flags/a~1b/readOnly", "true"),
            ("/features/2/flags/a~1b/y", "[]"),
            ("/features/7/featureId", "7"),
        ],
    );
    let rest = r#","displayName":"n","features":[{"featureId":1},{"featureId":2},
        {"featureId":3,"flags":{"a/b":{"readOnly":true,"y":[]}},"x":{}}]"#;
    assert_is(&any, &policy, &typed::<Policy>(rest));
    // The list does not exist yet.
    let any = older(&Policy::default(), &[("/features", r#"[{"featureId":1,"x":1},{}]"#)]);
    let policy = Policy { features: vec![feature(1), feature(0)], ..Default::default() };
    assert_is(&any, &policy, &typed::<Policy>(r#","features":[{"featureId":1,"x":1},{}]"#));
}

#[test]
fn a_now_known_enum_name_becomes_its_number() {
    let name = Postpone::Cannot.as_str_name();
    // The documented number for an unknown name.
    let number = unrecognized_enum_number(name);
    let with = |postpone| ShutdownComputer {
        actions: Some(AllowedActions { cancel_action: None, postpone: Some(postpone) }),
        restart: None,
    };
    let any = older(&with(number), &[("/actions/postpone", &format!("{name:?}"))]);
    let json = format!(r#","actions":{{"postpone":"{name}"}}"#);
    assert_is(&any, &with(Postpone::Cannot.into()), &typed::<ShutdownComputer>(&json));
    // A later writer set another value.
    let any = older(&with(Postpone::OneDay.into()), &[("/actions/postpone", &format!("{name:?}"))]);
    let json = format!(r#","actions":{{"postpone":"{}"}}"#, Postpone::OneDay.as_str_name());
    assert_is(&any, &with(Postpone::OneDay.into()), &typed::<ShutdownComputer>(&json));
    // The member is now a known enum, but the name is still unknown.
    let any = older(
        &ShutdownComputer { actions: Some(AllowedActions::default()), restart: None },
        &[("/actions/postpone", "\"NeverHeardOf\"")],
    );
    let unknown = unrecognized_enum_number("NeverHeardOf");
    let json = r#","actions":{"postpone":"NeverHeardOf"}"#;
    assert_is(&any, &with(unknown), &typed::<ShutdownComputer>(json));
}

#[test]
fn an_unset_oneof_takes_a_carried_member() {
    let manual = Trigger { kind: Some(trigger::Kind::Manual(Default::default())) };
    let carried = older(&Trigger::default(), &[("/manual", "{}"), ("/later", "{}")]);
    assert_is(&carried, &manual, &typed::<Trigger>(r#","manual":{},"later":{}"#));
}

#[test]
fn an_unknown_any_of_a_now_known_type_is_that_type() {
    let unknown = |type_url: &str, json: &str| {
        Any::pack(&UnknownAny { type_url: type_url.to_owned(), json: json.to_owned() })
    };
    let url = RunCommand::type_url();
    let run = RunCommand { command_line: Some("dir".to_owned()), ..Default::default() };
    let any = unknown(&url, r#"{"commandLine":"dir","x":1.0}"#);
    assert!(!any.is::<UnknownAny>());
    assert_eq!(any.unknown(), None);
    assert_eq!(any.type_name(), RunCommand::full_name());
    assert!(matches!(any.unpack::<UnknownAny>(), Err(UnpackError::Type { .. })));
    assert_is(&any, &run, &typed::<RunCommand>(r#","commandLine":"dir","x":1.0"#));

    let json = typed::<RunCommand>(r#","commandLine":"dir""#);
    let action = Action {
        name: "RunCommand".to_owned(),
        params: Some(unknown(&url, r#"{"commandLine":"dir"}"#)),
    };
    assert_eq!(
        write(&Any::pack(&action)),
        typed::<Action>(&format!(r#","name":"RunCommand","params":{json}"#))
    );
    let duration = unknown("x/google.protobuf.Duration", r#"{"value":"1s"}"#);
    assert_eq!(duration.unpack(), Ok(Duration { seconds: 1, nanos: 0 }));
    // An unknown type stays as it is.
    let stays = unknown("x.Y", "{}");
    assert!(stays.is::<UnknownAny>() && stays.unknown().is_some());
}

#[test]
fn json_that_does_not_fit_is_an_error_but_kept() {
    let url = RunCommand::type_url();
    let unknown =
        |json: &str| Any::pack(&UnknownAny { type_url: url.clone(), json: json.to_owned() });
    let run = RunCommand { command_line: Some("dir".to_owned()), ..Default::default() };
    for any in [
        unknown(r#"{"commandLine":5}"#),
        unknown("{"),
        unknown(r#"{"@type":"x.Y"}"#),
        older(&run, &[("/currentDirectory", "5")]),
        older(&run, &[("/currentDirectory", "")]),
        older(&Policy::default(), &[("/displayName", "\"a\""), ("/display_name", "\"a\"")]),
        older(&Action::default(), &[("/params", "[]")]),
        older(
            &Action { params: Some(Any::default()), ..Default::default() },
            &[("/params/x", "1")],
        ),
        older(&Int32Value::default(), &[("/value", "7")]),
        older(&Struct::default(), &[("/value/z", "7")]),
        older(&Any::pack(&run), &[("/value/currentDirectory", "\"/\"")]),
    ] {
        let error = any.unknown_members().unwrap_err();
        assert!(matches!(error, UnpackError::Json { .. }), "{error:?}");
        let written = Writer::new().strict(true).write(&any).unwrap_err().to_string();
        assert!(written.contains(&error.to_string()), "{written}: {error}");
        let mut same = any.clone();
        assert_eq!(same.normalize(), Err(error));
        assert_eq!(same, any);
        assert_eq!(read(&write(&any)), any);
    }
    let error = unknown(r#"{"commandLine":5}"#).unpack::<RunCommand>().unwrap_err().to_string();
    assert!(error.contains("RunCommand`") && error.contains("`commandLine`"), "{error}");
}

#[test]
fn types_of_a_registry_are_known_in_its_scope() {
    use greeting::{Choice, Warmth};
    let registry = added_service::types::register(TypeRegistry::default());
    let json = |rest: &str| typed::<Greeting>(rest);
    // The number for an unknown name.
    let number = unrecognized_enum_number;
    let (warm, new) = (number("WARMTH_WARM"), number("WARMTH_NEW"));
    let before = Greeting {
        warmths: vec![1, warm, new],
        by_number: [(-1, warm), (5, 0)].into(),
        by_truth: [(false, vec![1].into())].into(),
        by_name: [(String::new(), Greeting::default())].into(),
        choice: Some(Choice::Number(0.0)),
        inner: Some(Box::default()),
        any: Some(Any::pack(&Empty {})),
        ..Default::default()
    };
    let any = older(
        &before,
        &[
            ("/warmths/1", "\"WARMTH_WARM\""),
            ("/warmths/2", "\"WARMTH_NEW\""),
            ("/byNumber/-1", "\"WARMTH_WARM\""),
            ("/byNumber/5", "\"WARMTH_WARM\""),
            ("/byTruth/false", "\"AA==\""),
            ("/byName//int32Value", "7"),
            ("/byName//by_name", r#"{"a":{"x":1}}"#),
            ("/warmth", "\"WARMTH_WARM\""),
            ("/greeting", "{}"),
            ("/inner/warmth", "\"WARMTH_WARM\""),
            ("/maybe", "0"),
        ],
    );
    let inner = Greeting { choice: Some(Choice::Warmth(1)), ..Default::default() };
    let named = Greeting {
        int32_value: 7,
        by_name: [("a".to_owned(), Greeting::default())].into(),
        ..Default::default()
    };
    let expected = Greeting {
        warmths: vec![1, Warmth::Warm.into(), new],
        by_number: [(-1, 1), (5, 0)].into(),
        by_name: [(String::new(), named)].into(),
        inner: Some(Box::new(inner)),
        maybe: Some(0.0),
        ..before
    };
    let rest = r#","warmths":["WARMTH_WARM","WARMTH_WARM","WARMTH_NEW"],"number":0.0,
        "byNumber":{"-1":"WARMTH_WARM","5":"WARMTH_UNSPECIFIED"},"byTruth":{"false":"AQ=="},
        "byName":{"":{"int32Value":7,"byName":{"a":{"x":1}}}},"inner":{"warmth":"WARMTH_WARM"},
        "any":{"@type":"type.googleapis.com/google.protobuf.Empty"},"maybe":0.0"#;
    registry.scope(|| assert_is(&any, &expected, &json(rest)));

    let unread = UnknownAny { type_url: Greeting::type_url(), json: r#"{"type":"t"}"#.to_owned() };
    let unread = Any::pack(&unread);
    let expected = Greeting { r#type: "t".to_owned(), ..Default::default() };
    registry.scope(|| assert_is(&unread, &expected, &json(r#","type":"t""#)));
    assert!(unread.is::<UnknownAny>());
}

/// A chain of older peers, each inside the member that the next one carries: no work is repeated.
#[test]
fn carried_members_at_every_level_take_linear_time() {
    let mut any = older(&RunCommand::default(), &[("/currentDirectory", "\"a\"")]);
    for _ in 0..90 {
        let action = Action { name: String::new(), params: Some(any) };
        any = older(&action, &[("/name", "\"n\""), ("/x", "1")]);
    }
    let json = Writer::new().strict(true).write(&any).unwrap();
    assert_eq!(String::from_utf8(json).unwrap().matches(r#""name":"n""#).count(), 90);
    assert!(read(&write(&any)).is::<Action>());
    assert_eq!(any.unpack::<Action>().unwrap().name, "n");
}
