//! A request to fill in.

use eset_protect::descriptors::{is_output_only, packed_in, pool};
use prost_reflect::{FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::failure::Failure;
use crate::method::Method;
use crate::output::{Format, Output, View};
use crate::well_known::{example, is_well_known};
use crate::yaml;

/// Messages inside of messages are filled in down to this depth.
const MAX_DEPTH: usize = 8;

/// Prints a request with every field that a caller may set, in the order of the schema, and what belongs there.
pub fn print(method: &Method, view: &View) -> Result<(), Failure> {
    view.expect(Format::OF_DOCUMENTS)?;
    let request = Example { message: method.input(), is_any: false, depth: 0 };
    let mut output = Output::new();
    match view.format {
        Format::Yaml => output.foreign(&yaml::to_string(&request)?)?,
        _ => view.json(&mut output, &serde_json::to_string_pretty(&request)?)?,
    }
    output.flush()
}

/// Returns an example of a single message of a field.
pub fn of_field(field: &FieldDescriptor) -> Option<String> {
    let example = ExampleField { field, depth: 0 }.message(&field.kind())?;
    serde_json::to_string(&example).ok()
}

/// A message with an example in each field, written as an object.
struct Example {
    message: MessageDescriptor,
    /// Whether it is the content of a `google.protobuf.Any`.
    is_any: bool,
    depth: usize,
}

impl Serialize for Example {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        if self.is_any {
            let url = format!("type.googleapis.com/{}", self.message.full_name());
            members.serialize_entry("@type", &url)?;
        }
        let mut chosen = Vec::new();
        for field in self.message.fields().filter(|field| !is_output_only(field)) {
            // `call` turns the pages.
            if self.depth == 0 && field.name() == "page_token" {
                continue;
            }
            // Of a oneof only one can be set.
            if let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
                if chosen.contains(&oneof) {
                    continue;
                }
                chosen.push(oneof);
            }
            let value = ExampleField { field: &field, depth: self.depth };
            members.serialize_entry(field.json_name(), &value)?;
        }
        members.end()
    }
}

/// The example for a field.
struct ExampleField<'a> {
    field: &'a FieldDescriptor,
    /// The depth of the message that has the field.
    depth: usize,
}

impl Serialize for ExampleField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = self.field.kind();
        if let Some(entry) = kind.as_message().filter(|message| message.is_map_entry()) {
            let key = match entry.map_entry_key_field().kind() {
                Kind::Bool => "false",
                Kind::String => "KEY",
                _ => "0",
            };
            let field = entry.map_entry_value_field();
            let value = ExampleField { field: &field, depth: self.depth };
            return serializer.collect_map([(key, value)]);
        }
        match (self.message(&kind), self.field.is_list()) {
            (Some(message), true) => serializer.collect_seq([message]),
            (Some(message), false) => message.serialize(serializer),
            (None, true) => serializer.collect_seq([example(self.field)]),
            (None, false) => example(self.field).serialize(serializer),
        }
    }
}

impl ExampleField<'_> {
    /// Returns the message in the field, if it is one with fields; for an `Any`, one that belongs there.
    fn message(&self, kind: &Kind) -> Option<Example> {
        let message = kind.as_message().filter(|_| self.depth < MAX_DEPTH)?;
        let is_any = message.full_name() == "google.protobuf.Any";
        if !is_any && is_well_known(message) {
            return None;
        }
        let parent = self.field.parent_message();
        let message = if is_any { example_for(parent.package_name())? } else { message.clone() };
        Some(Example { message, is_any, depth: self.depth + 1 })
    }
}

/// Returns a message of a type that the schema says belongs in an `Any` of this package.
fn example_for(package: &str) -> Option<MessageDescriptor> {
    let is_packed = |file: &FileDescriptor| packed_in(file).iter().any(|name| name == package);
    let files: Vec<_> = pool().files().filter(is_packed).collect();
    // What others import is only a part of them.
    let is_part = |file: &FileDescriptor| {
        files.iter().any(|other| other.dependencies().any(|dependency| dependency == *file))
    };
    files.iter().find(|file| !is_part(file))?.messages().next()
}
