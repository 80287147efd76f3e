//! Invalid input is an error, and hostile input does no harm.

use eset_protect::proto::eset_protect::v1::{UnknownMember, UnknownMembers};

use super::*;

fn ride_along(pointer: &str, json: &str) -> UnknownMembers {
    let member = UnknownMember { pointer: pointer.to_owned(), json: json.to_owned() };
    UnknownMembers { members: vec![member] }
}

#[test]
fn invalid_anys_are_refused() {
    for (json, problem) in [
        (r#"{"@type":1}"#, "string"),
        (r#"{"@type":null}"#, "string"),
        ("[]", "`@type`"),
        (r#""x""#, "`@type`"),
        (r#"{"@type":"x.Y","@type":"x.Y"}"#, "twice"),
        (r#"{"a":1,"@type":"x.Y","@type":"x.Y"}"#, "twice"),
        (r#"{"@type":"x.Y","a":1,"a":1}"#, "field `a`: in `x.Y`: it appears twice"),
        (r#"{"a":1,"\u0061":1,"@type":"x.Y"}"#, "field `a`: it appears twice"),
        (&shutdown(r#","added":1,"added":1"#), "`added` appears twice"),
        (&shutdown(r#","@type":"x""#), "twice"),
        (&shutdown(r#","@value":"AA==","@value":"AA==""#), "`@value` appears twice"),
        (&shutdown(r#","restart":true,"restart":true"#), "restart"),
    ] {
        let error = serde_json::from_str::<Any>(json).unwrap_err().to_string();
        assert!(error.contains(problem), "{json}: {error}");
    }
}

/// Unknown members with names that JSON uses for the bytes of a message are not read as those bytes.
#[test]
fn an_unknown_member_is_not_read_as_the_bytes() {
    let members = |pointer: &str| {
        let mut value = Vec::new();
        prost::encoding::message::encode(19_777, &ride_along(pointer, r#""IAE=""#), &mut value);
        Any { type_url: SHUTDOWN.to_owned(), value: value.into() }
    };
    let unknown = |type_url: &str| {
        let json = r#"{"@value":"IAE=","@error":1}"#.to_owned();
        Any::pack(&UnknownAny { type_url: type_url.to_owned(), json })
    };
    let mut no_place = Vec::from(members("/@value").value);
    prost::encoding::message::encode(19_777, &ride_along("/a/b", "1"), &mut no_place);
    let no_place = Any { type_url: SHUTDOWN.to_owned(), value: no_place.into() };
    for any in [members("/@value"), no_place, unknown("x.Y"), unknown("")] {
        for writer in [Writer::new(), Writer::new().emit_defaults(true)] {
            let json = writer.write(&any).unwrap();
            assert_eq!(read(str::from_utf8(&json).unwrap()), any);
        }
        let error = Writer::new().strict(true).write(&any).unwrap_err().to_string();
        assert!(error.contains("`@value`"), "{error}");
    }
}

/// Hostile unknown members fail or do nothing: never two `@type`s, never a stack overflow.
#[test]
fn hostile_unknown_members_do_no_harm() {
    let ride = |type_url: &str, pointer: String, json: String| {
        let mut value = Vec::new();
        prost::encoding::message::encode(19_777, &ride_along(&pointer, &json), &mut value);
        let any = Any { type_url: type_url.to_owned(), value: value.into() };
        assert_eq!(read(&write(&any)), any, "nothing is lost");
        Writer::new().strict(true).write(&any).map(|json| String::from_utf8(json).unwrap())
    };
    for (pointer, json) in [
        ("a".to_owned(), "1".to_owned()),
        (String::new(), "1".to_owned()),
        ("/@type".to_owned(), "\"x.Y\"".to_owned()),
        ("/a".to_owned(), "1,\"b\":2".to_owned()),
        ("/a".to_owned(), String::new()),
        ("/a".to_owned(), "{\"b\":[\"\\ud800\"]}".to_owned()),
        ("/a".to_owned(), "[".repeat(100_000) + &"]".repeat(100_000)),
        ("/a".repeat(1_000_000), "1".to_owned()),
    ] {
        let start: String = pointer.chars().take(20).collect();
        for type_url in [
            SHUTDOWN,
            "google.protobuf.Int64Value",
            "google.protobuf.Struct",
            "google.protobuf.Any",
            "google.protobuf.Empty",
        ] {
            assert!(ride(type_url, pointer.clone(), json.clone()).is_err(), "{start}");
        }
    }
    assert_eq!(ride(SHUTDOWN, "/a".to_owned(), "1".to_owned()).unwrap(), shutdown(r#","a":1"#));
    for json in [r#"{"@type":"x.Y"}"#, "{}"] {
        assert_eq!(
            ride(SHUTDOWN, "/a".to_owned(), json.to_owned()).unwrap(),
            shutdown(&format!(r#","a":{json}"#))
        );
    }
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
        let any = Any::pack(&unknown);
        let error = Writer::new().strict(true).write(&any).unwrap_err().to_string();
        assert!(error.contains("JSON"), "{json}: {error}");
        assert_eq!(read(&write(&any)), any, "nothing is lost");
    }
}

#[test]
fn names_that_members_would_repeat_too_often_are_refused() {
    const FEATURE: &str = "type.googleapis.com/eset.dotnod.policy_management.v2.FeaturePolicy";
    let members: Vec<_> = (0..2000).map(|index| format!(r#""a{index}":1"#)).collect();
    for (length, fits) in [(1000, true), (100_000, false)] {
        let inner = format!(r#"{{"{}":{{{}}}}}"#, "k".repeat(length), members.join(","));
        let json = format!(r#"{{"@type":"{FEATURE}","flags":{inner}}}"#);
        match serde_json::from_str::<Any>(&json) {
            Ok(any) => {
                assert!(fits);
                assert_eq!(any.unknown_members().unwrap().len(), members.len());
            }
            Err(error) => assert!(!fits && error.to_string().contains("64 MiB"), "{error}"),
        }
        // The next message is read as usual.
        assert_lossless(&shutdown(r#","added":1"#));
    }
}

#[test]
fn members_at_too_many_places_pass_as_bytes() {
    let members = (0..2500).map(|index| UnknownMember {
        pointer: format!("/{index}{}", "/".repeat(120)),
        json: "1".to_owned(),
    });
    let members = UnknownMembers { members: members.collect() };
    let mut value = Vec::new();
    prost::encoding::message::encode(19_777, &members, &mut value);
    let type_url = Any::pack(&ShutdownComputer::default()).type_url;
    let any = Any { type_url, value: value.into() };
    let json = write(&any);
    assert!(json.contains(r#""@value":"#), "{}", &json[..200]);
    assert_eq!(read(&json), any);
}
