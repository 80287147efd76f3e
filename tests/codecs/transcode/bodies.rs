//! The bodies of requests and responses.

use added_service::proto::example::greeter::v1::{GreetRequest, Greeting};
use added_service::proto::example::guest_book::v1::{
    Entry, FindEntriesRequest, FindEntriesResponse, ReadEntryRequest, ReadEntryResponse,
    WriteEntryRequest, WriteMarginRequest,
};
use added_service::rpc::greeter::Greet;
use added_service::rpc::guest_book::{FindEntries, ReadEntry, WriteEntry, WriteMargin};
use eset_protect::automation::v1::{
    DeleteTaskResponse, DeviceTaskTargets, GetTaskRequest, UpdateTaskTargetsRequest,
};
use eset_protect::rpc::Rpc;
use eset_protect::rpc::device_tasks::{
    CreateTask, DeleteTask, GetTask, ListTasks, UpdateTaskTargets,
};
use eset_protect::transcode::Encoded;

use super::{ROUTER, problem, read};

fn body(http: &Encoded) -> &str {
    std::str::from_utf8(http.body.as_deref().expect("a body")).expect("UTF-8")
}

#[test]
fn a_whole_message_is_the_body() {
    let json = r#"{"task":{"uuid":"u","versionId":"18446744073709551615","action":{"name":"n"}}}"#;
    let request = read::<CreateTask>("POST", "/v1/device_tasks", json).unwrap();
    let http = Encoded::request::<CreateTask>(&request).unwrap();
    assert_eq!((http.method, http.path_and_query.as_str()), ("POST", "/v1/device_tasks"));
    assert_eq!(body(&http), json);
    assert_eq!(read::<CreateTask>("POST", "/v1/device_tasks", "").unwrap(), Default::default());

    for (json, expected) in [
        ("[]", "invalid type: sequence"),
        ("null", "invalid type: null"),
        (" ", "EOF while parsing"),
        ("{", "EOF while parsing"),
        ("{}{}", "trailing characters"),
        (r#"{"task":{"versionId":-1}}"#, "field `task.version_id`: "),
        (r#"{"task":{},"task":{}}"#, "field `task`: it appears twice"),
        (
            r#"{"task":{"displayName":"a","display_name":"b"}}"#,
            "field `task.display_name`: it appears twice",
        ),
        (
            r#"{"task":{"triggers":[{},{"manual":{"expireTime":1}}]}}"#,
            "field `task.triggers[1].manual.expire_time`: ",
        ),
        (
            r#"{"task":{"action":{"params":{"@type":"a/b","aB":1,"aB":2}}}}"#,
            "field `task.action.params.aB`: ",
        ),
    ] {
        let error = problem::<CreateTask>("POST", "/v1/device_tasks", json);
        assert!(error.starts_with(expected), "{json}: {error}");
    }
    let error = problem::<CreateTask>("POST", "/v1/device_tasks?task.uuid=u", "{}");
    assert_eq!(error, "the request takes its fields from the body, not a query");
}

#[test]
fn what_the_path_says_is_not_in_the_body() {
    let request = UpdateTaskTargetsRequest {
        task_uuid: "a:b".into(),
        targets: Some(DeviceTaskTargets { devices_uuids: vec!["d".into()], ..Default::default() }),
    };
    let http = Encoded::request::<UpdateTaskTargets>(&request).unwrap();
    assert_eq!(http.path_and_query, "/v1/device_tasks/a%3Ab:updateTaskTargets");
    assert_eq!(body(&http), r#"{"targets":{"devicesUuids":["d"]}}"#);
    let target = http.path_and_query.as_str();
    assert_eq!(read::<UpdateTaskTargets>("POST", target, body(&http)).unwrap(), request);

    // The path takes precedence over the body, in either spelling.
    for name in ["taskUuid", "task_uuid"] {
        let json = format!(r#"{{"{name}":"other","targets":{{"devicesUuids":["d"]}}}}"#);
        assert_eq!(read::<UpdateTaskTargets>("POST", target, &json).unwrap(), request);
    }
    // A duplicate member is ambiguous, known or not, in one spelling or two.
    for json in [
        r#"{"targets":{},"targets":{}}"#,
        r#"{"x":1,"x":2}"#,
        r#"{"taskUuid":"a","taskUuid":"a"}"#,
        r#"{"taskUuid":"a","task_uuid":"a"}"#,
        r#"{"targets":{"devicesUuids":[],"devicesUuids":[]}}"#,
    ] {
        let error = problem::<UpdateTaskTargets>("POST", target, json);
        assert!(error.contains("`: it appears twice"), "{json}: {error}");
    }
    for json in ["[]", "null", "1", "{", "{}{}", "\"\""] {
        problem::<UpdateTaskTargets>("POST", target, json);
    }
}

#[test]
fn a_field_of_a_field_is_in_the_path() {
    let entry = Entry { name: "a/b".into(), text: "t".into(), ..Default::default() };
    let request = WriteEntryRequest { entry: Some(entry), force: true };
    let http = Encoded::request::<WriteEntry>(&request).unwrap();
    assert_eq!((http.method, http.path_and_query.as_str()), ("PUT", "/v1/entries/a%2Fb"));
    assert_eq!(body(&http), r#"{"entry":{"text":"t"},"force":true}"#);
    for json in [
        r#"{"entry":{"text":"t"},"force":true}"#,
        r#"{"force":true,"entry":{"name":"other","text":"t"}}"#,
    ] {
        assert_eq!(read::<WriteEntry>("PUT", &http.path_and_query, json).unwrap(), request);
    }
    // One field is the body, the rest is a query, and part of the body is in the path.
    let target = "/v1/entries/a%2Fb?force=true";
    assert_eq!(read::<WriteEntry>("PATCH", target, r#"{"text":"t"}"#).unwrap(), request);
    for (json, text) in [("", ""), ("null", ""), ("{}", "")] {
        let read = read::<WriteEntry>("PATCH", "/v1/entries/a", json).unwrap();
        let entry = Entry { name: "a".into(), text: text.into(), ..Default::default() };
        assert_eq!(read, WriteEntryRequest { entry: Some(entry), force: false });
    }
    for json in [r#"{"entry":1}"#, r#"{"entry":[]}"#] {
        let error = problem::<WriteEntry>("PUT", "/v1/entries/a", json);
        assert!(error.starts_with("field `entry.name`: invalid type"), "{error}");
    }
}

#[test]
fn a_field_is_the_body() {
    for greeting in [None, Some(Greeting::default())] {
        let request = GreetRequest { person: "p".into(), greeting };
        let http = Encoded::request::<Greet>(&request).unwrap();
        // Not `null`, which other gateways do not accept as a message.
        assert_eq!(body(&http), if request.greeting.is_some() { "{}" } else { "" });
        assert_eq!(read::<Greet>("POST", &http.path_and_query, body(&http)).unwrap(), request);
    }
    assert_eq!(read::<Greet>("POST", "/v1/people/p:greet", "null").unwrap().greeting, None);

    // A custom method, a number in the path, and `null` as a value.
    for (note, text) in [(None, ""), (Some(().into()), "null"), (Some(1.5.into()), "1.5")] {
        let request = WriteMarginRequest { page: 0, note, colour: "red".into() };
        let http = Encoded::request::<WriteMargin>(&request).unwrap();
        assert_eq!(
            (http.method, http.path_and_query.as_str()),
            ("NOTE", "/v1/margins/0?colour=red")
        );
        assert_eq!(body(&http), text);
        assert_eq!(read::<WriteMargin>("NOTE", "/v1/margins/0?colour=red", text).unwrap(), request);
    }
    for (json, expected) in [
        ("{", "field `greeting`: the body is not JSON: "),
        ("{}{}", "field `greeting`: the body is not JSON: "),
        ("[]", "field `greeting`: "),
        (r#"{"type":"a","type":"b"}"#, "field `greeting.type`: it appears twice"),
        (r#"{"longs":["x"]}"#, "field `greeting.longs[0]`: "),
    ] {
        let error = problem::<Greet>("POST", "/v1/people/p:greet", json);
        assert!(error.starts_with(expected), "{json}: {error}");
    }
}

#[test]
fn numbers_and_unknown_members_of_an_any_are_kept() {
    let any = concat!(
        r#"{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan","#,
        r#""scanProfile":"InDepth","later":1.50,"more":[1e400,{"n":12345678901234567890123}]}"#
    );
    let json = format!(r#"{{"task":{{"action":{{"name":"n","params":{any}}}}}}}"#);
    let request = read::<CreateTask>("POST", "/v1/device_tasks", &json).unwrap();
    assert_eq!(body(&Encoded::request::<CreateTask>(&request).unwrap()), json);

    // With a body that is split up too, and for an unknown type.
    for any in [any, r#"{"@type":"x/not.Known","z":1.0,"a":-0.0,"e":1E+2}"#] {
        let json = format!(r#"{{"any":{any}}}"#);
        let request = read::<Greet>("POST", "/v1/people/p:greet", &json).unwrap();
        assert_eq!(body(&Encoded::request::<Greet>(&request).unwrap()), json);
    }
}

/// Returns a server's response to a request.
fn answer<R: Rpc>(http: &Encoded, response: &R::Response) -> String {
    let path = http.path_and_query.split('?').next().unwrap_or_default();
    let route = ROUTER.route(http.method, path).unwrap().expect("a route");
    String::from_utf8(route.response::<R>(response).unwrap()).unwrap()
}

#[test]
fn a_field_is_the_body_of_a_response() {
    let entry = Entry { text: "t".into(), ..Default::default() };
    let whole = ReadEntryResponse { entry: Some(entry), pages: vec![3, 4] };

    let request = ReadEntryRequest { name: "books/1/entries/2".into(), ..Default::default() };
    let http = Encoded::request::<ReadEntry>(&request).unwrap();
    let json = answer::<ReadEntry>(&http, &whole);
    assert_eq!(json, r#"{"text":"t"}"#);
    let read = http.response::<ReadEntry>(json.as_bytes()).unwrap();
    assert_eq!(read, ReadEntryResponse { pages: vec![], ..whole.clone() });
    assert_eq!(answer::<ReadEntry>(&http, &ReadEntryResponse::default()), "null");

    // Another binding with another field.
    let http = Encoded::request::<ReadEntry>(&ReadEntryRequest::default()).unwrap();
    let json = answer::<ReadEntry>(&http, &whole);
    assert_eq!(json, "[3,4]");
    let read = http.response::<ReadEntry>(json.as_bytes()).unwrap();
    assert_eq!(read, ReadEntryResponse { entry: None, ..whole });
    assert_eq!(answer::<ReadEntry>(&http, &ReadEntryResponse::default()), "[]");
    for json in ["", "null", "[]"] {
        let read = http.response::<ReadEntry>(json.as_bytes()).unwrap();
        assert_eq!(read, ReadEntryResponse::default());
    }
    for (json, expected) in [
        ("[", "field `pages`: the body is not JSON: "),
        ("[-1]", "field `pages[0]`: "),
        ("{}", "field `pages`: "),
    ] {
        let error = http.response::<ReadEntry>(json.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{json}: {error}");
    }

    let request = FindEntriesRequest { folder: "shelves/1".into(), ..Default::default() };
    let http = Encoded::request::<FindEntries>(&request).unwrap();
    for json in ["null", "1.5", "\"\"", "{\"a\":[true]}"] {
        let read = http.response::<FindEntries>(json.as_bytes()).unwrap();
        assert!(read.note.is_some());
        assert_eq!(answer::<FindEntries>(&http, &read), json);
    }
    // An unset field cannot be distinguished from `null`.
    assert_eq!(answer::<FindEntries>(&http, &FindEntriesResponse::default()), "null");
}

#[test]
fn a_whole_response_is_the_body() {
    let request = GetTaskRequest { task_uuid: "t".into() };
    let http = Encoded::request::<GetTask>(&request).unwrap();
    let json = r#"{"task":{"uuid":"t"}}"#;
    let response = http.response::<GetTask>(json.as_bytes()).unwrap();
    assert_eq!(answer::<GetTask>(&http, &response), json);
    assert!(http.response::<GetTask>(b"").is_err(), "a task is no empty body");
    assert!(http.response::<GetTask>(b"<html>").is_err());

    // A response without fields may have an empty body.
    let request = eset_protect::automation::v1::DeleteTaskRequest { task_uuid: "t".into() };
    let http = Encoded::request::<DeleteTask>(&request).unwrap();
    for json in ["", "{}", r#"{"later":1}"#] {
        let response = http.response::<DeleteTask>(json.as_bytes()).unwrap();
        assert_eq!(response, DeleteTaskResponse {});
    }
}

#[test]
fn a_route_is_of_one_rpc() {
    let route = ROUTER.route("GET", "/v1/device_tasks").unwrap().expect("a route");
    assert_eq!(route.binding(), &ListTasks::SPEC.http[0]);
    let expected = "the route is of /eset.dotnod.automation.v1.DeviceTasks/ListTasks, \
                    not of /eset.dotnod.automation.v1.DeviceTasks/GetTask";
    let error = route.request::<GetTask>("", b"").unwrap_err();
    assert_eq!(error.to_string(), expected);
    let error = route.response::<GetTask>(&Default::default()).unwrap_err();
    assert_eq!(error.to_string(), expected);

    assert!(ROUTER.route("PUT", "/v1/device_tasks").unwrap().is_none());
    assert!(ROUTER.route("get", "/v1/device_tasks").unwrap().is_none());
    assert!(ROUTER.route("GET", "/v1/device_tasks/").unwrap().is_none());
    assert_eq!(ROUTER.methods("/v1/device_tasks"), ["GET", "POST"]);
    assert_eq!(ROUTER.methods("/v1/device_tasks/t"), ["DELETE", "GET"]);
    // The verb is not the end of a UUID.
    assert_eq!(ROUTER.methods("/v1/device_tasks/t:updateTaskTargets"), ["POST"]);
    for method in ["DELETE", "GET"] {
        assert!(ROUTER.route(method, "/v1/device_tasks/t:updateTaskTargets").unwrap().is_none());
        assert!(ROUTER.route(method, "/v1/device_tasks/t:other").unwrap().is_some());
    }
    assert_eq!(ROUTER.methods("/v1/margins/1"), ["NOTE"]);
    assert!(ROUTER.methods("/v3").is_empty());
}
