//! The list of message types with their fields, and of enums.

use std::fmt::Write;

use heck::ToLowerCamelCase;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use quote::quote;

use crate::descriptors::DescriptorSet;
use crate::{debug_redact, descriptors, field_behavior, names};

/// Generates `JsonMessage` for every message and `Enumeration` for every enum. For the crate itself
/// also the table of types by name; for others a function that registers theirs.
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
        line(write, &table(&messages, root));
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
    let members: Vec<_> = message.fields().flat_map(|field| spellings(&field)).collect();
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
            const MEMBERS: Option<&'static [&'static str]> = Some(&{members:?});
            {clear}
            fn write_members(
                &self,
                json: &mut ::eset_protect::codegen::Compact,
            ) -> ::core::result::Result<(), ::eset_protect::codegen::Error> {{
                ::eset_protect::codegen::WriteFields::write_fields(self, json)
            }}
            fn read_members(
                object: &mut ::eset_protect::codegen::Object<'_, '_>,
            ) -> ::core::result::Result<Self, ::eset_protect::codegen::Error> {{
                ::eset_protect::codegen::ReadFields::read_fields(object)
            }}
        }}
        impl serde::Serialize for {path} {{
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {{
                ::eset_protect::codegen::serialize(self, serializer)
            }}
        }}
        impl<'de> serde::Deserialize<'de> for {path} {{
            fn deserialize<D>(deserializer: D) -> Result<Self, D::Error>
            where
                D: serde::Deserializer<'de>,
            {{
                ::eset_protect::codegen::deserialize(deserializer)
            }}
        }}
        {debug}",
        message.full_name(),
        fields.join(",")
    )
}

/// The names of a field in JSON: its own first, then those that are also read, unless another field has them.
pub(crate) fn spellings(field: &FieldDescriptor) -> Vec<String> {
    let message = field.parent_message();
    let mut names = vec![field.json_name().to_owned()];
    for spelling in [field.name().to_owned(), field.name().to_lower_camel_case()] {
        let is_taken = message.fields().any(|other| {
            other != *field && [other.name(), other.json_name()].contains(&&*spelling)
        });
        if !names.contains(&spelling) && !is_taken {
            names.push(spelling);
        }
    }
    names
}

fn entry(field: &FieldDescriptor, set: &DescriptorSet, root: &str) -> String {
    let names = spellings(field);
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

/// Generates the table of all types by name.
fn table(messages: &[MessageDescriptor], root: &str) -> String {
    let own = messages
        .iter()
        .map(|message| (message.full_name().to_owned(), names::message_path(message, root)));
    let well_known = names::WELL_KNOWN
        .iter()
        // An enum, not a message.
        .filter(|(name, _)| *name != "google.protobuf.NullValue")
        .map(|(name, path)| ((*name).to_owned(), (*path).to_owned()));
    let mut types: Vec<_> = own.chain(well_known).collect();
    types.sort();
    let types: Vec<_> =
        types.iter().map(|(name, path)| format!("({name:?}, message_type::<{path}>()),")).collect();
    format!(
        "/// All message types by their full names, sorted.
        pub(crate) static TYPES: &[(&str, MessageType)] = &[{}];",
        types.join("\n")
    )
}
