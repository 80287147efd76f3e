//! Checks a message by its schema: finds members, enum values and types that the schema does not have, required
//! fields that are missing, and texts that cannot be UUIDs or page tokens. Searches the JSON form, since it
//! includes the preserved unknown data and is what ESET receives over REST.

use serde_json::{Map, Value};

use super::problem::{Findings, ProblemKind};
use super::uuid::{is_uuid_name, note_uuid};
use crate::json::any_members::{TYPE, VALUE};
use crate::json::formats;
use crate::json::message::{JsonMessage, message_type};
use crate::json::schema::{Field, FieldKind, FieldShape, JsonForm, MessageType};
#[cfg(feature = "emulator")]
use crate::wkt::Registered;
use crate::wkt::{TypeRegistry, types};

/// The maximum length of a page token (`maxLength` in ESET's OpenAPI documents).
const MAX_TOKEN: usize = 128;

/// Records everything in a message that the schema does not allow, unknown members only if `members` says so.
pub(super) fn note<M: JsonMessage>(message: &M, members: bool, found: &mut Findings) {
    let json = formats::to_string(message);
    Search { members, is_partial: false, found }.json("", &message_type::<M>(), json);
}

/// Does so for an encoded part of a message, except unknown members. `path` is that of the part.
#[cfg(feature = "emulator")]
pub(super) fn note_part(path: &str, kind: &Registered, part: &[u8], found: &mut Findings) {
    let json = kind.to_json(part);
    Search { members: false, is_partial: false, found }.json(path, &kind.message_type, json);
}

struct Search<'a> {
    /// Whether to report unknown members too.
    members: bool,
    /// Whether the message has some fields only, as in a patch or a filter, or the contents of an `Any`.
    is_partial: bool,
    found: &'a mut Findings,
}

impl Search<'_> {
    fn json(&mut self, path: &str, kind: &MessageType, json: serde_json::Result<String>) {
        match json.and_then(|json| serde_json::from_str(&json)) {
            Ok(Value::Object(members)) => self.message(path, kind, &members),
            // A well-known type.
            Ok(_) => {}
            Err(error) => {
                let expected = format!("what has a form in JSON: {error}");
                self.found.missing(ProblemKind::Unknown, "the message", &expected);
            }
        }
    }

    /// Checks one value of the field `name`.
    fn value(&mut self, path: &str, name: &str, kind: FieldKind, value: &Value) {
        match (kind, value) {
            (FieldKind::Text, Value::String(text)) if is_uuid_name(name) => {
                note_uuid(path, text, self.found);
            }
            (FieldKind::Text, Value::String(text)) if name == "page_token" => {
                if text.chars().nth(MAX_TOKEN).is_some() {
                    let expected = format!("a token of at most {MAX_TOKEN} characters");
                    self.found.wrong(ProblemKind::Refused, path, text, &expected);
                }
            }
            (FieldKind::Enum(values), value) => self.enum_value(path, values, value),
            (FieldKind::Message(inner), Value::Object(members)) => {
                self.message(path, &inner(), members);
            }
            (FieldKind::Message(_) | FieldKind::Bool | FieldKind::Text | FieldKind::Scalar, _) => {}
        }
    }

    fn any(&mut self, path: &str, members: &Map<String, Value>) {
        let Some(url) = members.get(TYPE).and_then(Value::as_str) else {
            let expected = "an object with `@type`";
            return self.found.missing(ProblemKind::Wrong, path, expected);
        };
        let name = url.rsplit('/').next().unwrap_or_default();
        let Some(known) = TypeRegistry::in_scope(name) else {
            let at = join(path, TYPE);
            let known = types::TYPES.iter().map(|(name, _)| *name);
            return self.found.unknown(at, url, "the URL of a known type", known);
        };
        let was_partial = std::mem::replace(&mut self.is_partial, true);
        match members.get("value") {
            // Such bytes have no JSON form, so how ESET would treat them is unknown.
            _ if members.contains_key(VALUE) => {
                if !self.found.has(path) {
                    let expected = format!("a message of type {name}");
                    self.found.missing(ProblemKind::Wrong, path, &expected);
                }
            }
            Some(Value::Object(value)) if known.message_type.last_field().is_some() => {
                self.message(path, &known.message_type, value);
            }
            _ => self.message(path, &known.message_type, members),
        }
        self.is_partial = was_partial;
    }

    fn message(&mut self, path: &str, known: &MessageType, members: &Map<String, Value>) {
        let (type_name, fields) = match known.form {
            JsonForm::Object { name, fields } => (name, fields),
            JsonForm::Any => return self.any(path, members),
            // Free, or no objects.
            JsonForm::Empty | JsonForm::WellKnown { .. } | JsonForm::Opaque => return,
        };
        let was_partial = self.is_partial;
        // The mask says which fields of a resource count (AIP-134), and a list's request has filters.
        let has_parts = |field: &Field| matches!(field.name, "update_mask" | "page_size");
        let has_parts = fields.iter().any(has_parts);
        for field in fields {
            match members.get(field.json_name()) {
                Some(value) => {
                    self.is_partial = was_partial || has_parts;
                    self.field(&join(path, field.name), field, value);
                }
                None if field.is_required && !was_partial => {
                    self.missing(&join(path, field.name), field);
                }
                None => {}
            }
        }
        let is_unknown = |name: &str| name != TYPE && !fields.iter().any(|it| it.is_called(name));
        for name in members.keys().filter(|name| self.members && is_unknown(name)) {
            let expected = format!("a member of {}", short_name(type_name));
            let known = fields.iter().map(Field::json_name);
            self.found.unknown(join(path, name), name, &expected, known);
        }
        self.is_partial = was_partial;
    }

    /// Records a required field that is missing, unless a rule of the message has already done so.
    fn missing(&mut self, path: &str, field: &Field) {
        if self.found.has(path) {
            return;
        }
        if is_uuid_name(field.name) && !field.is_list() {
            return note_uuid(path, "", self.found);
        }
        let expected = "a value, since the field is required";
        self.found.missing(ProblemKind::Refused, path, expected);
    }

    fn field(&mut self, path: &str, field: &Field, value: &Value) {
        match (field.shape, value) {
            (FieldShape::Single, value) => self.value(path, field.name, field.kind, value),
            (FieldShape::List, Value::Array(elements)) => {
                for (index, element) in elements.iter().enumerate() {
                    self.value(&format!("{path}[{index}]"), field.name, field.kind, element);
                }
            }
            (FieldShape::Map(_), Value::Object(entries)) => {
                for (key, entry) in entries {
                    self.value(&format!("{path}[{key:?}]"), field.name, field.kind, entry);
                }
            }
            (FieldShape::List | FieldShape::Map(_), _) => {}
        }
    }

    fn enum_value(&mut self, path: &str, values: &[(&str, i32)], value: &Value) {
        let is_known = match value {
            Value::String(text) => values.iter().any(|(name, _)| name == text),
            Value::Number(number) => {
                values.iter().any(|(_, known)| number.as_i64() == Some((*known).into()))
            }
            _ => true,
        };
        if !is_known {
            let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
            let expected = format!("one of {}", names.join(", "));
            // The number of a name that the schema does not have says nothing to its author.
            if value.as_i64().is_some_and(|number| number < 0) {
                return self.found.add(ProblemKind::Unknown, path, None, &expected, None);
            }
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
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
