//! Finds members, enum values and types that the schema does not have. Searches the JSON form, since it
//! includes the preserved unknown data and is what ESET receives over REST.

use prost_types::FieldDescriptorProto;
use serde::Serialize;
use serde_json::{Map, Value};

use super::problem::{Findings, ProblemKind};
use super::schema::{Kind, One, SCHEMA};
use crate::protojson::context;
use crate::types;

/// Records everything in a message that is unknown.
pub(super) fn note(message: &impl Serialize, type_name: &str, found: &mut Findings) {
    Search { members: true, found }.all(message, type_name);
}

/// Does the same but ignores unknown members, as the recipient of the message does.
#[cfg(feature = "emulator")]
pub(super) fn note_values(message: &impl Serialize, type_name: &str, found: &mut Findings) {
    Search { members: false, found }.all(message, type_name);
}

/// The member that contains the bytes of a message without a JSON form.
const BYTES: &str = "@value";

struct Search<'a> {
    /// Whether to report unknown members too.
    members: bool,
    found: &'a mut Findings,
}

impl Search<'_> {
    fn all(&mut self, message: &impl Serialize, type_name: &str) {
        match serde_json::to_vec(message).and_then(|json| serde_json::from_slice(&json)) {
            Ok(json) => self.value("", One::Message(type_name), &json),
            Err(error) => {
                let expected = format!("a message with a JSON form: {error}");
                self.found.missing(ProblemKind::Unknown, short_name(type_name), &expected);
            }
        }
    }

    fn value(&mut self, path: &str, one: One<'_>, value: &Value) {
        match (one, value) {
            (One::Message("google.protobuf.Any"), Value::Object(members)) => {
                self.any(path, members);
            }
            // The other well-known types allow any members or are not objects.
            (One::Message(name), Value::Object(members))
                if !name.starts_with("google.protobuf.") =>
            {
                self.message(path, name, members);
            }
            (One::Enum(name), value) => self.enum_value(path, name, value),
            _ => {}
        }
    }

    fn any(&mut self, path: &str, members: &Map<String, Value>) {
        let Some(url) = members.get("@type").and_then(Value::as_str) else {
            let expected = "an object with `@type`";
            return self.found.missing(ProblemKind::Wrong, path, expected);
        };
        let name = url.rsplit('/').next().unwrap_or_default();
        let is_added = context::registry().is_some_and(|registry| registry.added(name).is_some());
        let is_known = is_added || types::NAMES.contains(&name);
        if !is_known {
            let at = join(path, "@type");
            self.found.unknown(at, url, "the URL of a known type", types::NAMES.iter().copied());
        } else if members.contains_key(BYTES) {
            let expected = format!("a message of type {name}");
            self.found.missing(ProblemKind::Refused, path, &expected);
        } else if !is_added {
            match members.get("value").filter(|_| name.starts_with("google.protobuf.")) {
                Some(value) => self.value(path, One::Message(name), value),
                None => self.message(path, name, members),
            }
        }
    }

    fn message(&mut self, path: &str, type_name: &str, members: &Map<String, Value>) {
        let fields = SCHEMA.fields(type_name).unwrap_or_default();
        for (name, value) in members.iter().filter(|(name, _)| *name != "@type") {
            let is_it =
                |field: &&FieldDescriptorProto| field.json_name() == name || field.name() == name;
            match fields.iter().find(is_it) {
                Some(field) => self.field(&join(path, field.name()), &SCHEMA.kind(field), value),
                None if self.members => {
                    let expected = format!("a member of {}", short_name(type_name));
                    let known = fields.iter().map(FieldDescriptorProto::json_name);
                    self.found.unknown(join(path, name), name, &expected, known);
                }
                None => {}
            }
        }
    }

    fn field(&mut self, path: &str, kind: &Kind<'_>, value: &Value) {
        match (kind, value) {
            (Kind::One(One::Scalar) | Kind::List(One::Scalar) | Kind::Map(One::Scalar), _) => {}
            (Kind::One(one), value) => self.value(path, *one, value),
            (Kind::List(one), Value::Array(elements)) => {
                for (index, element) in elements.iter().enumerate() {
                    self.value(&format!("{path}[{index}]"), *one, element);
                }
            }
            (Kind::Map(one), Value::Object(entries)) => {
                for (key, entry) in entries {
                    self.value(&format!("{path}[{key:?}]"), *one, entry);
                }
            }
            _ => {}
        }
    }

    fn enum_value(&mut self, path: &str, name: &str, value: &Value) {
        let known = || SCHEMA.values(name).map(|(name, _)| name);
        let is_known = match value {
            Value::String(text) => known().any(|name| name == text),
            Value::Number(number) => {
                SCHEMA.values(name).any(|(_, known)| number.as_i64() == Some(known.into()))
            }
            _ => true,
        };
        if !is_known {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let names: Vec<_> = known().collect();
            let expected = format!("one of {}", names.join(", "));
            self.found.unknown(path, &text, &expected, names);
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Returns the last part of a full name.
fn short_name(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or_default()
}
