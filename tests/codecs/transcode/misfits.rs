//! Members of responses that have another type than documented.

use added_service::proto::example::greeter::v1::{GreetRequest, GreetResponse, Greeting};
use added_service::rpc::greeter::{Greet, ListPeople};
use eset_protect::device_management::v1::{Device, ListDevicesRequest};
use eset_protect::params::OnDemandScan;
use eset_protect::proto::eset_protect::v1::UnknownAny;
use eset_protect::protojson::{Reader, Writer};
use eset_protect::rpc::devices::ListDevices;
use eset_protect::transcode::{Encoded, TranscodeError};
use eset_protect::wkt::UnpackError;
use prost::Message;

fn greet() -> Encoded {
    let request = GreetRequest { person: "p".into(), ..Default::default() };
    Encoded::request::<Greet>(&request).unwrap()
}

/// Reads a greeting of a text and this member.
fn greeting(member: &str) -> Greeting {
    let json = format!(r#"{{"greeting":{{{member},"text":"t"}}}}"#);
    let response = greet().response::<Greet>(json.as_bytes());
    response.unwrap_or_else(|error| panic!("{json}: {error}")).greeting.unwrap()
}

#[test]
fn only_the_member_is_left_out() {
    let expected = Greeting { greeting_text: "t".into(), ..Default::default() };
    for member in [
        r#""doubleValue":"x""#,
        r#""int32Value":1.5"#,
        r#""sint64_value":[1]"#,
        r#""bytesValue":"*""#,
        r#""longs":[1,"x"]"#,
        r#""longs":5"#,
        r#""warmths":{"a":[{"b":"c"}]}"#,
        r#""byNumber":{"x":1}"#,
        r#""byName":{"a":1}"#,
        r#""any":[]"#,
        r#""mask":"a_b""#,
        r#""wrapped":{}"#,
        r#""maybe":true"#,
        r#""warmth":[]"#,
        r#""inner":"x""#,
        r#""echoes":[{"longs":[1]},"x"]"#,
    ] {
        assert_eq!(greeting(member), expected, "{member}");
    }
    // At any depth, and the rest of each message is read.
    let nested = greeting(r#""byName":{"a":{"echoes":[{"type":1,"text":"x"},{"longs":[2]}]}}"#);
    let echoes = &nested.by_name["a"].echoes;
    assert_eq!((echoes[0].greeting_text.as_str(), echoes[1].longs.as_slice()), ("x", &[2][..]));
}

#[test]
fn one_device_does_not_cost_the_list() {
    let http = Encoded::request::<ListDevices>(&ListDevicesRequest::default()).unwrap();
    let json = br#"{"devices":[
        {"uuid":"a","tags":[{"name":"x"}],"displayName":"\ud800"},
        {"uuid":"b","tags":["x"],"activeProducts":["p"]}
    ],"nextPageToken":"n"}"#;
    let page = http.response::<ListDevices>(json).unwrap();
    let device = |uuid: &str| Device { uuid: uuid.into(), ..Default::default() };
    let expected = [
        Device { display_name: "\u{fffd}".into(), ..device("a") },
        Device { tags: vec!["x".into()], ..device("b") },
    ];
    assert_eq!((page.devices.as_slice(), page.next_page_token.as_str()), (&expected[..], "n"));
}

#[test]
fn an_any_keeps_its_json() {
    let scan = "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan";
    let members = r#"{"cleaningEnabled":"yes","later":1.50}"#;
    for json in [
        format!(r#"{{"@type":"{scan}","cleaningEnabled":"yes","later":1.50}}"#),
        format!(r#"{{"cleaningEnabled":"yes","@type":"{scan}","later":1.50}}"#),
    ] {
        let any = greeting(&format!(r#""any":{json}"#)).any.unwrap();
        assert!(any.is::<OnDemandScan>());
        let Err(UnpackError::Json { problem, .. }) = any.unpack::<OnDemandScan>() else {
            panic!("{any:?}");
        };
        assert!(problem.starts_with("field `cleaningEnabled`: invalid type"), "{problem}");
        let unknown = UnknownAny::decode(any.value.clone());
        assert_eq!(unknown.unwrap().json, members);
        // No request passes it on.
        let request = GreetRequest {
            greeting: Some(Greeting { any: Some(any), ..Default::default() }),
            person: "p".into(),
        };
        assert!(Encoded::request::<Greet>(&request).is_err());
        assert!(Writer::new().write(&request).is_ok());
    }
}

#[test]
fn what_is_nested_too_deeply_to_be_kept_is_left_out() {
    let scan = "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan";
    let deep = format!("{}1{}", "[".repeat(101), "]".repeat(101));
    for (members, expected) in [
        (format!(r#""@type":"{scan}","later":1,"deep":{deep}"#), r#""later":1"#),
        (format!(r#""later":1,"deep":{deep},"@type":"{scan}""#), r#""later":1"#),
        (format!(r#""@type":"x/not.Known","later":1,"deep":{deep}"#), r#""later":1"#),
    ] {
        let any = greeting(&format!(r#""any":{{{members}}}"#)).any.unwrap();
        let json = serde_json::to_string(&any).unwrap();
        assert!(json.contains(expected) && !json.contains("deep"), "{json}");
    }
    // A request with such a member is refused, rather than sent without it.
    let json = format!(r#"{{"any":{{"@type":"{scan}","deep":{deep}}}}}"#);
    let error = serde_json::from_str::<Greeting>(&json).unwrap_err().to_string();
    assert!(error.starts_with("field `any.deep`: in `"), "{error}");
}

#[test]
fn the_response_itself_must_be_as_documented() {
    let people = Encoded::request::<ListPeople>(&Default::default()).unwrap();
    for (json, expected) in [
        (r#"{"people":{}}"#, "field `people`: invalid type"),
        (r#"{"people":["Ada"]}"#, "field `people[0]`: invalid type"),
        (r#"{"people":[{"name":1}],"nextPageToken":2}"#, "field `nextPageToken`: invalid type"),
        (r#"{"people":[{"name":1},{"name":"a"}"#, "field `people`: EOF while parsing"),
        (r#"{"people":[{"name":[1}]}"#, "field `people[0].name`: expected `,` or `]`"),
        (r#"{"people":[{"name":1,"name":2}]}"#, "field `people[0]"),
    ] {
        let error = people.response::<ListPeople>(json.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{json}: {error}");
    }
    let read = |json: &str| -> Result<GreetResponse, TranscodeError> {
        Reader::new().strict(true).scope(|| greet().response::<Greet>(json.as_bytes()))
    };
    let error = read(r#"{"greeting":{"type":1}}"#).unwrap_err().to_string();
    assert!(error.starts_with("field `greeting.type`: invalid type"), "{error}");
}
