//! Formats other than JSON, and the buffers in which serde stores input: they represent the message including
//! unknown members.

use std::collections::BTreeMap;

use super::*;
use eset_protect::automation::v1::DeleteTaskResponse;
use serde::Deserialize;
use serde_json::value::RawValue;

const SCAN: &str = "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan";
const LATER: &str = "type.googleapis.com/example.AddedLater";

/// JSON values that a future schema may have, as precise as every format can represent them.
const VALUES: &str = r#"{"n":[null,true,-9223372036854775808,18446744073709551615,0.1,-0.5],"o":{"":{}},"s":"é\u0000\""}"#;

/// Returns the JSON of an `Any`, with `@type` first and last.
fn anys() -> Vec<String> {
    [SCAN, LATER]
        .iter()
        .flat_map(|url| {
            [
                format!(r#"{{"@type":"{url}","cleaningEnabled":true,"later":{VALUES}}}"#),
                format!(r#"{{"cleaningEnabled":true,"later":{VALUES},"@type":"{url}"}}"#),
                format!(r#"{{"@type":"{url}","later":"$serde_json::private::RawValue"}}"#),
                format!(r#"{{"@type":"{url}","$serde_json::private::RawValue":"}}"}}"#),
                format!(r#"{{"@type":"{url}","later":{{"$serde_json::private::RawValue":"}}"}}}}"#),
            ]
        })
        .collect()
}

/// Returns a page with unknown data in every kind of place.
fn page() -> Status {
    let details = anys().into_iter().map(|json| read(&json)).chain([
        Any::pack(&Duration { seconds: 1, nanos: 500_000_000 }),
        Any::pack(&BytesValue { value: vec![0xFB; 4096].into() }),
        Any::pack(&read::<Any>(&anys()[0])),
        Any::pack(&read::<Struct>(VALUES)),
        Any::default(),
    ]);
    Status { code: 5, message: "NO".to_owned(), details: details.collect() }
}

/// Writes and reads with a format.
macro_rules! round_trip {
    ($format:literal, $message:expr, $write:expr, $read:expr) => {{
        let message = $message;
        let written = $write(message).unwrap();
        let written: &[u8] = written.as_ref();
        let private = written.windows(9).any(|window| window == b"::private");
        assert_eq!(private, write(message).contains("::private"), $format);
        let back = $read(written).unwrap_or_else(|error| panic!("{}: {error}", $format));
        assert_eq!(&back, message, $format);
    }};
}

fn cbor<M: Serialize>(message: &M) -> Result<Vec<u8>, ciborium::ser::Error<std::io::Error>> {
    let mut written = Vec::new();
    ciborium::into_writer(message, &mut written).map(|()| written)
}

fn from_cbor<M: DeserializeOwned>(
    written: &[u8],
) -> Result<M, ciborium::de::Error<std::io::Error>> {
    ciborium::from_reader(written)
}

fn yaml<M: Serialize + DeserializeOwned + PartialEq + Debug>(message: &M) {
    round_trip!("YAML", message, serde_saphyr::to_string, serde_saphyr::from_slice::<M>);
}

fn every_format<M: Serialize + DeserializeOwned + PartialEq + Debug>(message: &M) {
    yaml(message);
    round_trip!("CBOR", message, cbor, from_cbor::<M>);
    round_trip!("MessagePack", message, rmp_serde::to_vec, rmp_serde::from_slice::<M>);
    round_trip!("MessagePack", message, rmp_serde::to_vec_named, rmp_serde::from_slice::<M>);
    // Here serde_json writes each value, and to memory the crate itself writes all text.
    let mut streamed = std::io::Cursor::new(Vec::new());
    serde_json::to_writer(&mut streamed, message).unwrap();
    assert_eq!(String::from_utf8(streamed.into_inner()).unwrap(), write(message));
}

#[test]
fn formats_that_describe_themselves_hold_the_same_message() {
    every_format(&page());
    for any in page().details {
        every_format(&any);
    }
    for json in anys() {
        every_format(&read::<Any>(&json).unknown().unwrap_or_default());
    }
    every_format(&Policy { uuid: "1".to_owned(), ..Default::default() });
    every_format(&Policy::default());
    every_format(&Empty {});
    every_format(&Any::pack(&Empty {}));
    every_format(&Timestamp { seconds: i64::MAX, nanos: -1 });
    every_format(&FieldMask { paths: vec!["a_1".to_owned()] });
    every_format(&read::<Struct>(VALUES));
    every_format(&DoubleValue { value: f64::INFINITY });
    every_format(&Timestamp { seconds: -1, nanos: 1 });
}

/// What `serde_json` buffers because of serde's attributes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat<T> {
    id: u32,
    #[serde(flatten)]
    rest: T,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged<T> {
    Number(u32),
    Message(T),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged<T> {
    Message(T),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "content")]
enum Adjacent<T> {
    Message(T),
}

fn both_ways_itself<M: Serialize + DeserializeOwned + PartialEq + Debug>(message: &M) {
    assert_eq!(&read::<M>(&write(message)), message);
    // serde_json's own values cannot contain its private names.
    if write(message).contains("::private") {
        return;
    }
    let value = serde_json::to_value(message).unwrap();
    assert_eq!(&serde_json::from_value::<M>(value).unwrap(), message);
}

/// The buffers are the same for every format, so one format beside JSON is enough.
#[test]
fn the_buffers_of_serde_hold_the_same_message() {
    for message in page().details {
        yaml(&Flat { id: 1, rest: message.clone() });
        yaml(&Tagged::Message(message.clone()));
        yaml(&Untagged::Message(message.clone()));
        yaml(&Adjacent::Message(Flat { id: 2, rest: message.clone() }));

        both_ways_itself(&Flat { id: 1, rest: message.clone() });
        both_ways_itself(&Tagged::Message(Flat { id: 3, rest: message.clone() }));
        both_ways_itself(&Untagged::Message(message));
    }
    let page = page();
    both_ways_itself(&Flat { id: 1, rest: page.clone() });
    both_ways_itself(&Tagged::Message(page.clone()));
    both_ways_itself(&Untagged::Message(page.clone()));
    yaml(&Flat { id: 1, rest: page.clone() });
    yaml(&Tagged::Message(page.clone()));
    yaml(&Untagged::Message(page));
}

/// Reads through a wrapping deserializer.
#[test]
fn wrappers_of_serde_json_keep_numbers_exact_when_they_read() {
    let json =
        format!(r#"{{"@type":"{SCAN}","later":[1.00,1e400,123456789012345678901234567890]}}"#);
    let mut deserializer = serde_json::Deserializer::from_str(&json);
    let any: Any = serde_path_to_error::deserialize(&mut deserializer).unwrap();
    assert_eq!(write(&any), json);
}

#[test]
fn wrappers_of_serde_json_write_the_same_message() {
    let mut page = page();
    page.details.retain(|any| !write(any).contains("::private"));
    let json = serde_json::to_value(&page as &dyn erased_serde::Serialize).unwrap();
    assert_eq!(serde_json::from_value::<Status>(json).unwrap(), page);
    let json = serde_json::to_string(&page as &dyn erased_serde::Serialize).unwrap();
    assert_eq!(json, write(&page));
}

#[test]
fn formats_that_do_not_describe_themselves_are_refused_at_once() {
    for any in page().details {
        postcard::to_allocvec(&any).unwrap_err();
    }
    postcard::to_allocvec(&Policy::default()).unwrap_err();
    postcard::from_bytes::<Policy>(&[0; 64]).unwrap_err();
    postcard::from_bytes::<Any>(&[1, 0, 0]).unwrap_err();
}

#[test]
fn what_json_does_not_have_is_refused_where_it_would_be_kept() {
    let read = |yaml: &str| {
        let options = serde_saphyr::options! {
            non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
        };
        let yaml = format!("'@type': {SCAN}\nlater: {yaml}");
        serde_saphyr::from_str_with_options::<Any>(&yaml, options)
            .map(|any| any.unknown_members().unwrap()[0].json.clone())
            .map_err(|error| error.to_string())
    };
    for (yaml, problem) in [
        ("[.nan]", "JSON has no number for NaN"),
        ("[-.inf]", "JSON has no number for -inf"),
        ("{[]: 1}", "invalid type: sequence, expected the name of a member"),
    ] {
        let told = read(yaml).unwrap_err();
        assert!(told.contains(problem), "{told}");
    }
    // Keys in other formats need not be strings.
    assert_eq!(read("{1: a, true: b, -1: c}").unwrap(), r#"{"1":"a","true":"b","-1":"c"}"#);
    #[derive(Serialize)]
    struct Large {
        #[serde(rename = "@type")]
        url: &'static str,
        later: u128,
    }
    let large = 1 << 64;
    let any: Any = from_cbor(&cbor(&Large { url: SCAN, later: large }).unwrap()).unwrap();
    assert_eq!(any.unknown_members().unwrap()[0].json, large.to_string());
}

#[test]
fn deep_nesting_ends_in_an_error() {
    let mut bytes = cbor(&[("@type", SCAN)].into_iter().collect::<BTreeMap<_, _>>()).unwrap();
    // A map of two members, the second more than a hundred lists deep.
    bytes[0] = 0xA2;
    bytes.extend(*b"\x65later");
    bytes.extend([0x81; 110]);
    bytes.push(0x80);
    let error = from_cbor::<Any>(&bytes).unwrap_err().to_string();
    assert!(error.contains("nested deeper than 100 levels"), "{error}");

    // CBOR's errors quote each other once per level.
    let mut values = serde_json::json!({"@type": SCAN, "cleaningEnabled": 1});
    for _ in 0..30 {
        values = serde_json::json!({"details": [values], "@type": "type.googleapis.com/google.rpc.Status"});
    }
    let error = from_cbor::<Any>(&cbor(&values).unwrap()).unwrap_err().to_string();
    assert!(error.len() < 64 * 1024, "{}", error.len());
}

#[test]
fn members_that_are_passed_over_must_be_unicode() {
    for text in
        [&b"\xFF"[..], b"\\ud800", b"\\udc00", b"\\ud800\\n", b"\\ud800 \\udc00", b"\\ud800\\ud800"]
    {
        for place in [&b"{\"later\":[{\"a\":\"?\"}]}"[..], b"{\"?\":1}", b"{\"later\":{\"?\":1}}"] {
            let at = place.iter().position(|byte| *byte == b'?').unwrap();
            let json = [&place[..at], text, &place[at + 1..]].concat();
            let shown = String::from_utf8_lossy(&json).into_owned();
            assert!(serde_json::from_slice::<Policy>(&json).is_err(), "{shown}");
            assert!(Reader::new().read::<Policy>(&json).is_err(), "{shown}");
            let any = [format!(r#"{{"@type":"{SCAN}","#).as_bytes(), &json[1..]].concat();
            assert!(serde_json::from_slice::<Any>(&any).is_err(), "{shown}");
        }
    }
    let json = br#"{"later":["\ud83d\ude00\\ud800\ud83d\ude00\u00e9",1e999]}"#;
    assert_eq!(serde_json::from_slice::<Policy>(json).unwrap(), Policy::default());
}

#[test]
fn what_is_no_json_for_serde_json_is_refused() {
    let json = r#" {"uuid" : "a\u00e9\"", "versionId" : "1" ,"display\u004eame":"n", "isDisabled":false,
        "action":{"name":"a","params": {"@type":"type.googleapis.com/google.protobuf.Value","value":
        [null , true,-0, 1e3,-1.5e-3,18446744073709551615,"\ud83d\ude00",{"a":{},"b":[]}]}},
        "triggers":[{"manual":{}},{ }],"later":[{"a":[]},"\ud83d\ude00",1e999] } "#;
    let check = |json: &str| {
        let read = Reader::new().read::<DeviceTask>(json.as_bytes());
        match serde_json::from_str::<&RawValue>(json) {
            Ok(_) => drop(read),
            Err(expected) => {
                let error = read.expect_err(json);
                assert!(error.line() > 0, "{json}: {error} instead of {expected}");
            }
        }
    };
    Reader::new().read::<DeviceTask>(json.as_bytes()).unwrap();
    // Without, twice and instead of each character.
    for (at, character) in json.char_indices() {
        let (before, rest) = json.split_at(at);
        let after = &rest[character.len_utf8()..];
        check(before);
        check(&format!("{before}{after}"));
        check(&format!("{before}{character}{rest}"));
        for other in
            ["\"", "\\", "\u{1}", "0", "-", ".", "e", ",", ":", "[", "]", "{", "}", " ", "é"]
        {
            check(&format!("{before}{other}{after}"));
        }
    }
}

#[test]
fn strings_are_escaped_as_serde_json_escapes_them() {
    let special =
        (0..0x20).map(char::from).chain(['"', '\\', '/', '\u{7f}', 'é', '\u{2028}', '😀']);
    for character in special {
        for (before, after) in (0..20).flat_map(|before| (0..3).map(move |after| (before, after))) {
            let text = format!("{}{character}{}", "a".repeat(before), "\\b".repeat(after));
            let expected = serde_json::to_string(&text).unwrap();
            let task = DeviceTask { uuid: text, ..Default::default() };
            assert_eq!(serde_json::to_string(&task).unwrap(), format!(r#"{{"uuid":{expected}}}"#));
        }
    }
}

#[test]
fn a_message_takes_its_own_members_of_a_flattened_object() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        empty: DeleteTaskResponse,
        #[serde(flatten)]
        task: DeviceTask,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    let json = r#"{"uuid":"a","b":1,"display_name":"n"}"#;
    let read = Reader::new().strict(true).scope(|| serde_json::from_str::<Outer>(json)).unwrap();
    let task = DeviceTask { uuid: "a".into(), display_name: "n".into(), ..Default::default() };
    let rest = [("b".to_owned(), 1)].into();
    assert_eq!(read, Outer { empty: DeleteTaskResponse::default(), task, rest });
}
