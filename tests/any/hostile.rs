//! What cannot be read or written is an error, and what is hostile does no harm.

use super::*;

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
