//! The list of message types with their fields, and of enums.

use std::fmt::Write;

use heck::ToLowerCamelCase;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use quote::quote;

use crate::descriptors::DescriptorSet;
use crate::{debug_redact, descriptors, field_behavior, names};

/// Generates `JsonMessage` for every message and `Enumeration` for every enum. For the crate itself
/// also the function that finds a type by its name; for others one that registers theirs.
pub(crate) fn generate(set: &DescriptorSet, root: &str, own: bool) -> String {
    let mut messages = Vec::new();
    let mut enums = Vec::new();
    for file in set.files() {
        enums.extend(file.enums());
        for message in file.messages() {
            collect(message, &mut messages, &mut enums);
        }
    }
    messages.sort_by(|a, b| a.full_name().cmp(b.full_name()));

    let mut out = String::new();
    let write = &mut out;
    // Generated code calls its methods on nested messages, if there are any.
    line(write, "#[allow(unused_imports)]\nuse ::eset_protect::codegen::JsonMessage as _;");
    for message in &messages {
        line(write, &json_message(message, set, root));
    }
    for enumeration in &enums {
        line(write, &implementation(enumeration, root));
    }
    if own {
        line(write, &lookup(&messages, root));
    } else {
        line(write, "/// Adds every message of the package.");
        line(write, "pub fn register(registry: ::eset_protect::wkt::TypeRegistry)");
        line(write, "-> ::eset_protect::wkt::TypeRegistry {");
        line(write, "registry");
        for message in &messages {
            line(write, &format!(".with::<{}>()", names::message_path(message, root)));
        }
        line(write, "}");
    }
    out
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("writing to a String");
}

fn collect(
    message: MessageDescriptor,
    messages: &mut Vec<MessageDescriptor>,
    enums: &mut Vec<EnumDescriptor>,
) {
    if message.is_map_entry() {
        return;
    }
    enums.extend(message.child_enums());
    for child in message.child_messages() {
        collect(child, messages, enums);
    }
    messages.push(message);
}

/// `JsonMessage` with the fields of a message, and `Debug` if it has secrets.
fn json_message(message: &MessageDescriptor, set: &DescriptorSet, root: &str) -> String {
    let path = names::message_path(message, root);
    let fields: Vec<_> = message.fields().map(|field| entry(&field, set, root)).collect();
    let debug = debug_redact::debug(message, root);
    let clear = field_behavior::clear_output_only(message, root);
    let clear = match clear.is_empty() {
        true => clear,
        false => quote! {
            fn clear_output_only(&mut self) {
                #clear
            }
        },
    };
    format!(
        "#[allow(clippy::use_self)]
        impl ::eset_protect::codegen::JsonMessage for {path} {{
            const FORM: ::eset_protect::codegen::JsonForm =
                ::eset_protect::codegen::JsonForm::Object {{
                    name: \"{}\",
                    fields: &[{}],
                }};
            {clear}
        }}
        impl serde::Serialize for {path} {{
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {{
                ::eset_protect::codegen::write_message(self, serializer)
            }}
        }}
        {debug}",
        message.full_name(),
        fields.join(",")
    )
}

fn entry(field: &FieldDescriptor, set: &DescriptorSet, root: &str) -> String {
    let regular = field.name().to_lower_camel_case();
    let mut names = vec![field.json_name()];
    for spelling in [field.name(), &regular] {
        if !names.contains(&spelling) {
            names.push(spelling);
        }
    }
    let oneof = descriptors::oneof_of(field)
        .and_then(|oneof| oneof.fields().map(|field| field.number()).min());
    let kind = field.kind();
    let entry = kind.as_message().filter(|message| message.is_map_entry());
    let (shape, kind) = match entry {
        Some(entry) => {
            let key = key(&entry.map_entry_key_field().kind());
            let shape = format!("Map(::eset_protect::codegen::FieldKey::{key})");
            (shape, entry.map_entry_value_field().kind())
        }
        None if field.is_list() => ("List".to_owned(), kind),
        None => ("Single".to_owned(), kind),
    };
    let kind = match kind {
        Kind::Message(message)
            if message.package_name() != "google.protobuf"
                || names::is_well_known(message.full_name()) =>
        {
            let path = names::message_path(&message, set.root_of(message.package_name(), root));
            format!("Message(::eset_protect::codegen::message_type::<{path}>)")
        }
        Kind::Enum(enumeration) if enumeration.package_name() != "google.protobuf" => {
            let root = set.root_of(enumeration.package_name(), root);
            let path = names::enum_path(&enumeration, root);
            format!("Enum(<{path} as ::eset_protect::codegen::Enumeration>::VALUES)")
        }
        Kind::Bool => "Bool".to_owned(),
        Kind::String => "Text".to_owned(),
        _ => "Scalar".to_owned(),
    };
    format!(
        "::eset_protect::codegen::Field {{
            number: {},
            name: \"{}\",
            json_names: &{names:?},
            is_required: {},
            oneof: {oneof:?},
            shape: ::eset_protect::codegen::FieldShape::{shape},
            kind: ::eset_protect::codegen::FieldKind::{kind},
        }}",
        field.number(),
        field.name(),
        field_behavior::is_required(field),
    )
}

/// The encoding of a map key.
fn key(kind: &Kind) -> &'static str {
    match kind {
        Kind::String => "Text",
        Kind::Bool => "Bool",
        Kind::Int32 | Kind::Int64 => "Signed",
        Kind::Sint32 | Kind::Sint64 => "ZigZag",
        Kind::Sfixed32 | Kind::Sfixed64 => "SignedFixed",
        Kind::Fixed32 | Kind::Fixed64 => "Fixed",
        _ => "Unsigned",
    }
}

fn implementation(enumeration: &EnumDescriptor, root: &str) -> String {
    let path = names::enum_path(enumeration, root);
    let name = enumeration.full_name();
    // In the order of the file: of several names of a number, the first one counts.
    let values = &enumeration.enum_descriptor_proto().value;
    let values: Vec<_> = values.iter().map(|value| (value.name(), value.number())).collect();
    format!(
        "impl ::eset_protect::codegen::Enumeration for {path} {{
            const FULL_NAME: &'static str = \"{name}\";
            const VALUES: &'static [(&'static str, i32)] = &{values:?};
        }}"
    )
}

/// Generates the list of type names, and the function that finds a type by its name.
fn lookup(messages: &[MessageDescriptor], root: &str) -> String {
    let mut names: Vec<_> = messages.iter().map(|message| message.full_name().to_owned()).collect();
    let mut arms: Vec<_> = messages
        .iter()
        .map(|message| {
            let path = names::message_path(message, root);
            format!("\"{}\" => visitor.message::<{path}>(),", message.full_name())
        })
        .collect();
    for (name, path) in names::WELL_KNOWN {
        // An enum, not a message.
        if *name != "google.protobuf.NullValue" {
            names.push((*name).to_owned());
            // In an `Any`, `Empty` has the JSON form of every message without fields.
            let visit = if *name == "google.protobuf.Empty" { "message" } else { "well_known" };
            arms.push(format!("\"{name}\" => visitor.{visit}::<{path}>(),"));
        }
    }
    names.sort();
    format!(
        "/// The full names of all message types, sorted.
        pub(crate) const NAMES: &[&str] = &{names:?};

        /// Calls the visitor with the type of this full name.
        pub(crate) fn visit<V: TypeVisitor>(name: &str, visitor: V) -> V::Output {{
            match name {{
                {}
                _ => visitor.unknown(),
            }}
        }}",
        arms.join("\n")
    )
}
