//! Our ProtoJSON agrees with prost-reflect's, for every message type and thousands of messages.
//!
//! # Where we differ on purpose
//!
//! These cases are not generated, or are taken out of what is compared:
//!
//! * `eset_protect.v1.UnknownAny` in an `Any`: our writer turns it back into the JSON that it
//!   preserves; the oracle writes it as any other message.
//! * An empty `Any` (no type URL, no value) is `{}` with us; the oracle cannot write it. The random
//!   messages hold no empty `Any`; `any.rs` tests it.
//! * An `Any` of `Empty`: the oracle writes `"value": {}`, and reads nothing else. The specification has
//!   no JSON of its own for `Empty`, so C++, Java and Python write nothing there, and refuse it when they
//!   are strict. We read both.
//! * NaN and the infinities in `DoubleValue` and `FloatValue`: the oracle writes `null`, the
//!   specification asks for the three strings. `protojson.rs` tests them.
//! * `f32::MAX` in its shortest form, 3.4028235e38: the oracle refuses its own JSON, because as an f64
//!   it is a little more. `protojson.rs` tests it.
//! * Timestamps and durations with nanoseconds out of range or of the wrong sign: we refuse them, the
//!   oracle normalises them. Not generated.
//! * An unknown enum name is kept with us; the oracle refuses it or drops the field. Not generated;
//!   `any.rs` and `protojson.rs` test it.
//! * A number of an enum written as a string, and integers as `1.0`, `1e0` or in a string with an
//!   exponent: we read them, the oracle only some of them. The alternative spellings are given to us
//!   alone, and the result is compared with the original message.

use crate::support::messages::tape::Tape;
use crate::support::messages::{POOL, all_types, config, oracle_json, random};
use eset_protect::wkt::TypeRegistry;
use proptest::prelude::{TestCaseError, any, prop_assert, prop_assert_eq};
use proptest::test_runner::TestRunner;
use prost_reflect::prost::Message;
use prost_reflect::{
    DynamicMessage, Kind, MessageDescriptor, ReflectMessage, SerializeOptions, Value,
};
use serde_json::Value as Json;

/// Checks a property with random messages of every type; the second tape is for the property's own choices.
fn for_every_type(
    cases: u32,
    property: impl Fn(&DynamicMessage, &mut Tape) -> Result<(), TestCaseError>,
) {
    for descriptor in all_types() {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
        let result = TestRunner::new(config(cases)).run(&(bytes(), bytes()), |(one, two)| {
            let message = random::message(&descriptor, &mut Tape::new(&one));
            property(&message, &mut Tape::new(&two))
        });
        if let Err(failure) = result {
            panic!("{}: {failure}", descriptor.full_name());
        }
    }
}

fn our_json(message: &DynamicMessage) -> Result<String, TestCaseError> {
    let name = message.descriptor().full_name().to_owned();
    let ours = TypeRegistry::default().get(&name).expect("a known type");
    ours.to_json(&message.encode_to_vec()).map_err(|error| TestCaseError::fail(error.to_string()))
}

fn our_message(
    descriptor: &MessageDescriptor,
    json: &str,
) -> Result<DynamicMessage, TestCaseError> {
    let ours = TypeRegistry::default().get(descriptor.full_name()).expect("a known type");
    let binary =
        ours.to_binary(json).map_err(|error| TestCaseError::fail(format!("{error} in {json}")))?;
    DynamicMessage::decode(descriptor.clone(), binary.as_slice())
        .map_err(|error| TestCaseError::fail(error.to_string()))
}

/// Whether messages are equal; compares `Any`s by their contents, since the order of map entries is
/// arbitrary.
fn equal(a: &DynamicMessage, b: &DynamicMessage) -> bool {
    let descriptor = a.descriptor();
    if descriptor.full_name() == "google.protobuf.Any" {
        return any_parts(a)
            .zip(any_parts(b))
            .is_some_and(|(a, b)| a.0 == b.0 && equal(&a.1, &b.1));
    }
    a.unknown_fields().eq(b.unknown_fields())
        && descriptor.fields().all(|field| {
            a.has_field(&field) == b.has_field(&field)
                && (!a.has_field(&field)
                    || equal_values(&a.get_field(&field), &b.get_field(&field)))
        })
}

fn any_parts(any: &DynamicMessage) -> Option<(String, DynamicMessage)> {
    let type_url = any.get_field_by_name("type_url")?.as_str()?.to_owned();
    let value = any.get_field_by_name("value")?.as_bytes()?.clone();
    let descriptor = POOL.get_message_by_name(type_url.rsplit('/').next()?)?;
    Some((type_url, DynamicMessage::decode(descriptor, value).ok()?))
}

fn equal_values(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Message(a), Value::Message(b)) => equal(a, b),
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal_values(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal_values(a, b)))
        }
        _ => a == b,
    }
}

/// Describes a difference by bytes, because the debug output of dynamic messages repeats their descriptors.
fn difference(found: &DynamicMessage, expected: &DynamicMessage, json: &str) -> String {
    let (found, expected) = (found.encode_to_vec(), expected.encode_to_vec());
    format!("read {found:02x?}, expected {expected:02x?}, from {json}")
}

#[test]
fn our_json_is_the_oracles_json() {
    for_every_type(150, |message, _| {
        let ours: Json = serde_json::from_str(&our_json(message)?)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut theirs = oracle_json(message);
        respell_empty(&mut theirs, false);
        prop_assert_eq!(ours, theirs);
        Ok(())
    });
}

#[test]
fn we_read_the_oracles_json() {
    for_every_type(150, |message, _| {
        let json = oracle_json(message).to_string();
        let ours = our_message(&message.descriptor(), &json)?;
        prop_assert!(equal(&ours, message), "{}", difference(&ours, message, &json));
        Ok(())
    });
}

#[test]
fn the_oracle_reads_our_json() {
    // The oracle's reader accepts no numbers from a serde_json with the feature `arbitrary_precision`.
    if serde_json::from_str::<serde_json::Number>("1e400").is_ok() {
        return;
    }
    for_every_type(100, |message, _| {
        let mut json = our_json(message)?;
        if json.contains(EMPTY) {
            let mut theirs = serde_json::from_str(&json).expect("JSON");
            respell_empty(&mut theirs, true);
            json = theirs.to_string();
        }
        let mut deserializer = serde_json::Deserializer::from_str(&json);
        let theirs = DynamicMessage::deserialize(message.descriptor(), &mut deserializer)
            .map_err(|error| TestCaseError::fail(format!("{error} in {json}")))?;
        prop_assert!(equal(&theirs, message), "{}", difference(&theirs, message, &json));
        Ok(())
    });
}

#[test]
fn we_read_every_spelling_that_the_oracle_writes() {
    for_every_type(100, |message, tape| {
        let options = SerializeOptions::new()
            .use_proto_field_name(tape.one_in(2))
            .use_enum_numbers(tape.one_in(2))
            .stringify_64_bit_integers(tape.one_in(2));
        let json = message
            .serialize_with_options(serde_json::value::Serializer, &options)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let ours = our_message(&message.descriptor(), &json.to_string())?;
        prop_assert!(equal(&ours, message), "{}", difference(&ours, message, &json.to_string()));
        Ok(())
    });
}

#[test]
fn we_read_every_spelling_that_the_specification_allows() {
    for_every_type(150, |message, tape| {
        let mut json = oracle_json(message);
        respell(&message.descriptor(), &mut json, tape);
        let ours = our_message(&message.descriptor(), &json.to_string())?;
        prop_assert!(equal(&ours, message), "{}", difference(&ours, message, &json.to_string()));
        Ok(())
    });
}

const EMPTY: &str = "/google.protobuf.Empty";

/// Writes every `Any` of `Empty` with `"value": {}`, as the oracle does, or without it.
fn respell_empty(json: &mut Json, with_value: bool) {
    match json {
        Json::Object(members) => {
            let url = members.get("@type").and_then(Json::as_str);
            if url.is_some_and(|url| url.ends_with(EMPTY)) {
                members.remove("value");
                if with_value {
                    members.insert("value".to_owned(), Json::Object(Default::default()));
                }
            }
            members.values_mut().for_each(|member| respell_empty(member, with_value));
        }
        Json::Array(elements) => {
            elements.iter_mut().for_each(|element| respell_empty(element, with_value));
        }
        _ => {}
    }
}

/// Rewrites a message's JSON in an equivalent spelling.
fn respell(descriptor: &MessageDescriptor, json: &mut Json, tape: &mut Tape) {
    let name = descriptor.full_name();
    if let Some(field) = descriptor.get_field_by_name("value")
        && name.starts_with("google.protobuf.")
        && name.ends_with("Value")
    {
        // A wrapper.
        return respell_value(&field.kind(), json, tape);
    }
    let Json::Object(members) = json else { return };
    let inner = match members.get("@type").and_then(Json::as_str) {
        Some(url) if name == "google.protobuf.Any" => {
            let inner = POOL.get_message_by_name(url.rsplit('/').next().unwrap()).unwrap();
            if let Some(value) = members.get_mut("value")
                && inner.full_name().starts_with("google.protobuf.")
            {
                return respell(&inner, value, tape);
            }
            inner
        }
        _ if name.starts_with("google.protobuf.") => return,
        _ => descriptor.clone(),
    };
    for field in inner.fields() {
        let spelling = if tape.one_in(2) { field.name() } else { field.json_name() };
        match members.remove(field.json_name()) {
            Some(mut value) => {
                match &mut value {
                    Json::Array(elements) if field.is_list() => {
                        for element in elements {
                            respell_value(&field.kind(), element, tape);
                        }
                    }
                    Json::Object(entries) if field.is_map() => {
                        let kind = field.kind();
                        let kind = kind.as_message().unwrap().map_entry_value_field().kind();
                        for entry in entries.values_mut() {
                            respell_value(&kind, entry, tape);
                        }
                    }
                    value => respell_value(&field.kind(), value, tape),
                }
                members.insert(spelling.to_owned(), value);
            }
            // Absent members may be `null`.
            None if tape.one_in(3) => {
                members.insert(spelling.to_owned(), Json::Null);
            }
            None => {}
        }
    }
}

fn respell_value(kind: &Kind, json: &mut Json, tape: &mut Tape) {
    match kind {
        Kind::Message(message) => respell(message, json, tape),
        Kind::Int32 | Kind::Uint32 | Kind::Int64 | Kind::Uint64 => {
            let text = json.to_string();
            let digits = text.trim_matches('"').to_owned();
            *json = match tape.below(6) {
                0 => serde_json::from_str(&digits).unwrap(),
                1 => Json::String(digits),
                2 => Json::String(format!("{digits}.0")),
                3 if digits != "0" => Json::String(format!("{digits}00e-2")),
                4 => Json::String(format!("{digits}E+0")),
                // As a number, if an f64 represents it exactly.
                _ if digits.len() < 16 => serde_json::from_str(&format!("{digits}.0")).unwrap(),
                _ => Json::String(digits),
            };
        }
        Kind::Float | Kind::Double if tape.one_in(2) => *json = Json::String(json.to_string()),
        Kind::Enum(enumeration) => {
            let number = match json {
                Json::String(name) => enumeration.get_value_by_name(name).unwrap().number(),
                _ => return,
            };
            *json = match tape.below(4) {
                0 => number.into(),
                1 => Json::String(number.to_string()),
                2 => f64::from(number).into(),
                _ => return,
            };
        }
        Kind::Bytes => {
            let Json::String(text) = json else { return };
            if tape.one_in(2) {
                *text = text.trim_end_matches('=').to_owned();
            }
            if tape.one_in(2) {
                *text = text.replace('+', "-").replace('/', "_");
            }
        }
        _ => {}
    }
}
