//! Types with serde implementations of their own, registered at run time.

use eset_protect::JsonMessage;
use serde::{Deserialize, Serialize, Serializer};

use super::*;

const URL: &str = "example.com/example.v1.Foreign";

/// A message whose JSON has tasks, and which cannot be written if it is called so.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
struct Foreign {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    first: Option<DeviceTask>,
    #[prost(message, optional, tag = "3")]
    second: Option<DeviceTask>,
}

impl Serialize for Foreign {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.name.as_str() {
            "unwritable" => Err(serde::ser::Error::custom("it is called unwritable")),
            "text" => serializer.serialize_str("text"),
            "type" => serializer.collect_map([("@type", "other")]),
            "spaces" => serde_json::value::RawValue::from_string("{ }".to_owned())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            name => serializer.collect_map([("name", name)]),
        }
    }
}

impl prost::Name for Foreign {
    const NAME: &'static str = "Foreign";
    const PACKAGE: &'static str = "example.v1";
}

impl JsonMessage for Foreign {}

fn registry() -> TypeRegistry {
    TypeRegistry::default().with::<Foreign>()
}

fn packed(name: &str) -> Any {
    let message = Foreign { name: name.to_owned(), ..Foreign::default() };
    Any { type_url: URL.to_owned(), value: message.encode_to_vec().into() }
}

#[test]
fn what_cannot_be_written_does_not_break_the_list_that_contains_it() {
    for name in ["unwritable", "text", "type"] {
        let any = packed(name);
        let list = Status { details: vec![any.clone(), Any::pack(&Empty {})], ..Status::default() };
        let json = Writer::new().registry(registry()).write(&list).unwrap();
        let text = String::from_utf8_lossy(&json);
        assert!(
            text.starts_with(&format!(r#"{{"details":[{{"@type":"{URL}","@value":""#)),
            "{text}"
        );
        let back: Status = Reader::new().registry(registry()).read(&json).unwrap();
        assert_eq!(back, list);
        let error = Writer::new().strict(true).registry(registry()).write(&list).unwrap_err();
        assert!(error.to_string().starts_with("field `details[0]`: in `example.com"), "{error}");
    }
    for (name, json) in [("spaces", ""), ("a", r#","name":"a""#)] {
        let written = Writer::new().registry(registry()).write(&packed(name)).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), format!(r#"{{"@type":"{URL}"{json}}}"#));
    }
}

#[test]
fn members_unknown_to_a_message_inside_are_no_members_of_the_outer_one() {
    let json =
        format!(r#"{{"@type":"{URL}","name":"a","first":{{"later":1}},"second":{{"later":2}}}}"#);
    let any: Any = Reader::new().registry(registry()).read(json.as_bytes()).unwrap();
    assert_eq!(any.unknown_members().unwrap(), []);
    let message: Foreign = any.unpack().unwrap();
    assert_eq!((message.name.as_str(), message.first.is_some()), ("a", true));
}

#[test]
fn a_second_type_is_refused() {
    let json = format!(r#"{{"@type":"{URL}","name":"a","@type":"{URL}"}}"#);
    let error = Reader::new().registry(registry()).read::<Any>(json.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("`@type` appears twice"), "{error}");
    let stored =
        UnknownAny { type_url: URL.to_owned(), json: r#"{"@type":"y/G","a":1}"#.to_owned() };
    let error = registry().scope(|| Any::pack(&stored).unpack::<Foreign>()).unwrap_err();
    assert!(error.to_string().contains("`@type` appears twice"), "{error}");
}
