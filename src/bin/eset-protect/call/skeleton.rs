//! A request to fill in.

use eset_protect::descriptors::{is_output_only, pool};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::method::Method;

/// Messages are looked into so deep.
const MAX_DEPTH: usize = 8;

/// Every field of a request that a caller may set, with what belongs there.
pub fn of(method: &Method) -> String {
    let mut request = object(&method.input(), 0);
    if method.spec.is_paged {
        // `call` turns the pages.
        request.remove("pageToken");
    }
    format!("{:#}", Value::Object(request))
}

fn object(message: &MessageDescriptor, depth: usize) -> Map<String, Value> {
    let mut members = Map::new();
    let mut chosen = Vec::new();
    for field in message.fields().filter(|field| !is_output_only(field)) {
        // Of a oneof only one can be set.
        if let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
            if chosen.contains(&oneof) {
                continue;
            }
            chosen.push(oneof);
        }
        members.insert(field.json_name().to_owned(), value(&field, message, depth));
    }
    members
}

fn value(field: &FieldDescriptor, parent: &MessageDescriptor, depth: usize) -> Value {
    let kind = field.kind();
    if let Some(entry) = kind.as_message().filter(|message| message.is_map_entry()) {
        let key = match entry.map_entry_key_field().kind() {
            Kind::Bool => "false",
            Kind::String => "KEY",
            _ => "0",
        };
        return json!({ key: value(&entry.map_entry_value_field(), parent, depth) });
    }
    let one = match kind {
        Kind::Bool => json!(false),
        Kind::String if field.name().ends_with("uuid") => json!("UUID"),
        Kind::String if field.name().ends_with("uuids") => json!("UUID"),
        Kind::String => json!("TEXT"),
        Kind::Bytes => json!("BASE64"),
        Kind::Enum(values) => {
            let names = values.values().map(|value| value.name().to_owned());
            let names = names.filter(|name| !name.ends_with("_UNSPECIFIED"));
            json!(names.collect::<Vec<_>>().join(" | "))
        }
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Any" => any(parent, depth),
            "google.protobuf.Timestamp" => json!("2030-01-01T00:00:00Z"),
            "google.protobuf.Duration" => json!("30s"),
            "google.protobuf.FieldMask" => json!("path,another.path"),
            "google.protobuf.StringValue" => json!("TEXT"),
            "google.protobuf.BytesValue" => json!("BASE64"),
            "google.protobuf.BoolValue" => json!(false),
            "google.protobuf.ListValue" => json!([]),
            name if name.starts_with("google.protobuf.") && name.ends_with("Value") => json!(0),
            _ if depth >= MAX_DEPTH => json!({}),
            _ => Value::Object(object(&message, depth + 1)),
        },
        _ => json!(0),
    };
    if field.is_list() { json!([one]) } else { one }
}

/// A message of a type that the schema says belongs into an `Any` of this package.
fn any(parent: &MessageDescriptor, depth: usize) -> Value {
    let example = pool().get_extension_by_name("eset_protect.v1.packed_in").and_then(|extension| {
        pool().files().find_map(|file| {
            let options = file.options();
            let package = options.get_extension(&extension);
            let packages = package.as_list().unwrap_or(std::slice::from_ref(&*package));
            let is_packed =
                packages.iter().any(|name| name.as_str() == Some(parent.package_name()));
            if is_packed { file.messages().next() } else { None }
        })
    });
    let Some(example) = example.filter(|_| depth < MAX_DEPTH) else {
        return json!({ "@type": "type.googleapis.com/FULL.NAME.OF.A.MESSAGE" });
    };
    let mut members = Map::new();
    let url = format!("type.googleapis.com/{}", example.full_name());
    members.insert("@type".to_owned(), url.into());
    members.extend(object(&example, depth + 1));
    Value::Object(members)
}
