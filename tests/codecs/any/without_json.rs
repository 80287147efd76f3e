//! An `Any` without a JSON form is written as base64 and does not affect the rest of the message.

use super::*;

fn any(type_url: &str, value: &[u8]) -> Any {
    Any { type_url: type_url.to_owned(), value: value.to_vec().into() }
}

fn strictly(any: &Any) -> String {
    let action = Action { name: String::new(), params: Some(any.clone()) };
    let task = DeviceTask { action: Some(action), ..Default::default() };
    let status = Status { details: vec![Any::default(), Any::pack(&task)], ..Default::default() };
    Writer::new().strict(true).write(&status).unwrap_err().to_string()
}

#[test]
fn an_any_without_json_round_trips_as_base64() {
    let nested = any("google.protobuf.Any", &any("x.Y", &[8, 1]).encode_to_vec());
    for (any, json, problem) in [
        (any("a/x.Y", &[8, 1]), r#"{"@type":"a/x.Y","@value":"CAE="}"#, "not registered"),
        (any("x.Y", &[]), r#"{"@type":"x.Y","@value":""}"#, "not registered"),
        (any("", &[8, 1]), r#"{"@type":"","@value":"CAE="}"#, "not registered"),
        (any("a/", &[8, 1]), r#"{"@type":"a/","@value":"CAE="}"#, "not registered"),
        (any(SHUTDOWN, &[0xff]), &shutdown(r#","@value":"/w==""#), "varint"),
        // Invalid UTF-8 in a string.
        (
            any("google.protobuf.StringValue", &[10, 1, 0xff]),
            r#"{"@type":"google.protobuf.StringValue","@value":"CgH/"}"#,
            "UTF-8",
        ),
        (
            any("google.protobuf.Empty", &[0xff]),
            r#"{"@type":"google.protobuf.Empty","@value":"/w=="}"#,
            "varint",
        ),
        (
            nested,
            r#"{"@type":"google.protobuf.Any","value":{"@type":"x.Y","@value":"CAE="}}"#,
            "not registered",
        ),
    ] {
        assert_eq!(write(&any), json);
        assert_eq!(read(json), any);
        let (start, value) = json.rsplit_once(r#""@value""#).unwrap();
        let late = start.rsplit_once('{').unwrap();
        let late = format!(
            r#"{}{{"@value"{}"#,
            late.0,
            value.replacen('}', &format!(",{}}}", late.1.trim_end_matches(',')), 1)
        );
        assert_eq!(read(&late), any, "{late}");
        assert!(Reader::new().strict(true).read::<Any>(json.as_bytes()).is_err());

        let error = strictly(&any);
        assert!(error.contains("`details[1].action.params"), "{error}");
        assert!(error.contains(problem) && error.contains(any.type_url.as_str()), "{error}");
    }
}

/// Fields of a newer schema are lost in JSON, so a strict writer refuses them.
#[test]
fn unknown_fields_in_the_bytes_are_refused_by_strict_writers() {
    let known = ShutdownComputer {
        actions: Some(AllowedActions { cancel_action: Some(true), postpone: None }),
        restart: Some(true),
    };
    assert!(Writer::new().strict(true).write(&Any::pack(&known)).is_ok());
    let mut top = known.encode_to_vec();
    prost::encoding::int32::encode(99, &1, &mut top);
    let mut nested = RunCommand::default().encode_to_vec();
    let mut actions = AllowedActions::default().encode_to_vec();
    prost::encoding::int32::encode(99, &1, &mut actions);
    let descriptor = POOL.get_message_by_name("Era.Common.DataDefinition.Task.OS.ShutdownComputer");
    let number = descriptor.unwrap().get_field_by_name("actions").unwrap().number();
    prost::encoding::bytes::encode(number, &actions, &mut nested);
    let mut well_known = Vec::new();
    prost::encoding::int32::encode(99, &1, &mut well_known);
    for type_name in ["Duration", "Struct", "Value", "BoolValue", "Any", "Empty"] {
        let error = strictly(&any(&format!("google.protobuf.{type_name}"), &well_known));
        assert!(error.contains("`details[1].action.params`") && error.contains("99"), "{error}");
    }
    for value in [top, nested] {
        let any = any(SHUTDOWN, &value);
        assert_eq!(any.unpack::<ShutdownComputer>().unwrap(), read(&write(&any)).unpack().unwrap());
        let error = strictly(&any);
        assert!(error.contains("`details[1].action.params`") && error.contains("99"), "{error}");
    }
}

#[test]
fn output_of_grpcurl_is_read() {
    let json = r#"{"@type":"a/x.Y","@error":"x.Y is not recognized; see @value","@value":"CAE"}"#;
    assert_eq!(read(json), any("a/x.Y", &[8, 1]));
    assert_eq!(read(r#"{"@value":"CAE="}"#), any("", &[8, 1]));
}

#[test]
fn a_member_of_that_name_beside_others_is_a_member() {
    for json in [
        r#"{"@type":"x.Y","@value":"CAE=","a":1}"#,
        r#"{"@type":"x.Y","@value":"CAE*"}"#,
        r#"{"@type":"x.Y","@value":1}"#,
        &shutdown(r#","restart":true,"@value":"CAE=""#),
        &shutdown(r#","@value":"CAE*""#),
    ] {
        assert_lossless(json);
    }
}

#[test]
fn an_object_without_a_type_is_kept() {
    let json = r#"{"details":[{"@type":"x.Y","a":1},{"a":1.0,"b":[]},{}]}"#;
    let status: Status = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&status).unwrap(), json);
    let unknown = status.details[1].unknown().unwrap();
    assert_eq!((unknown.type_url.as_str(), unknown.json.as_str()), ("", r#"{"a":1.0,"b":[]}"#));
    for json in [r#"{"@type":"a/"}"#, r#"{"@type":"a/","b":1}"#] {
        assert_lossless(json);
        assert!(Reader::new().strict(true).read::<Any>(json.as_bytes()).is_err());
        assert!(Writer::new().strict(true).write(&read(json)).is_err());
    }
    for (json, kept) in [
        (r#"{"@type":""}"#, "{}"),
        (r#"{"@type":"","a":1}"#, r#"{"a":1}"#),
        (r#"{"a":1,"@type":""}"#, r#"{"a":1}"#),
    ] {
        assert_eq!(write(&read(json)), kept);
        let error = Reader::new().strict(true).read::<Any>(json.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("full name"), "{error}");
    }
    for error in [
        Reader::new().strict(true).read::<Status>(br#"{"details":[{},{"a":1}]}"#).unwrap_err(),
        Writer::new()
            .strict(true)
            .write(&Status { details: status.details[1..].to_vec(), ..Default::default() })
            .unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("details[") && error.contains("`@type`"), "{error}");
    }
}

#[test]
fn strict_readers_refuse_types_that_are_not_registered() {
    for json in [r#"{"@type":"a/x.Y"}"#, r#"{"b":1,"@type":"a/x.Y"}"#] {
        let json = format!(r#"{{"details":[{json}]}}"#);
        let error = Reader::new().strict(true).read::<Status>(json.as_bytes()).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("`details[0]`") && error.contains("`a/x.Y`"), "{error}");
        assert!(error.contains("not registered"), "{error}");
    }
}

/// JSON that a reader would refuse because it is nested too deeply.
#[test]
fn json_nested_too_deeply_is_written_as_base64() {
    let mut deep = Any::pack(&ShutdownComputer::default());
    for _ in 0..150 {
        deep = Any::pack(&Status { details: vec![deep], ..Default::default() });
    }
    let json = write(&deep);
    assert!(json.contains("@value"));
    assert_eq!(read(&json), deep);
    assert!(Writer::new().strict(true).write(&deep).is_err());
}
