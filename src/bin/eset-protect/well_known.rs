//! How people write the values of fields, those of `google.protobuf` among them.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

/// How the value of a flag becomes JSON.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    Bool,
    Enum,
    /// A JSON string: text, base64 bytes, and numbers, times and masks, which ProtoJSON reads from strings.
    Text,
    Json,
}

/// Returns the form of a message of `google.protobuf`, the name of its value, and an example.
fn of_message(message: &MessageDescriptor) -> (Form, &'static str, Value) {
    match message.full_name() {
        "google.protobuf.Timestamp" => (Form::Text, "RFC3339", json!("2030-01-01T00:00:00Z")),
        "google.protobuf.Duration" => (Form::Text, "SECONDS", json!("30s")),
        "google.protobuf.FieldMask" => (Form::Text, "PATHS", json!("path,another.path")),
        "google.protobuf.StringValue" => (Form::Text, "TEXT", json!("TEXT")),
        "google.protobuf.BytesValue" => (Form::Text, "BASE64", json!("BASE64")),
        "google.protobuf.BoolValue" => (Form::Bool, "true|false", json!(false)),
        "google.protobuf.ListValue" => (Form::Json, "JSON", json!([])),
        "google.protobuf.Value" => (Form::Json, "JSON", json!(0)),
        "google.protobuf.Any" => {
            let example = json!({ "@type": "type.googleapis.com/FULL.NAME.OF.A.MESSAGE" });
            (Form::Json, "JSON", example)
        }
        name if is_well_known(message) && name.ends_with("Value") => {
            (Form::Text, "NUMBER", json!(0))
        }
        _ => (Form::Json, "JSON", json!({})),
    }
}

pub fn is_well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

pub fn form(field: &FieldDescriptor) -> Form {
    match field.kind() {
        Kind::Bool => Form::Bool,
        Kind::Enum(_) => Form::Enum,
        Kind::Message(message) => of_message(&message).0,
        _ => Form::Text,
    }
}

/// Returns the name of the field's value in help texts and examples.
pub fn value_name(field: &FieldDescriptor) -> &'static str {
    match field.kind() {
        _ if field.is_map() => "KEY=VALUE",
        Kind::String if field.name().ends_with("uuid") || field.name().ends_with("uuids") => "UUID",
        Kind::String => "TEXT",
        Kind::Bytes => "BASE64",
        Kind::Message(message) => of_message(&message).1,
        _ => "NUMBER",
    }
}

/// Returns an example of a single value of the field.
pub fn example(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::Bool => json!(false),
        Kind::String | Kind::Bytes => json!(value_name(field)),
        Kind::Enum(values) => {
            let names = values.values().map(|value| value.name().to_owned());
            let names = names.filter(|name| !name.ends_with("_UNSPECIFIED"));
            json!(names.collect::<Vec<_>>().join(" | "))
        }
        Kind::Message(message) => of_message(&message).2,
        _ => json!(0),
    }
}
