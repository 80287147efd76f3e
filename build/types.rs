//! The list of message types and of enums.

use std::fmt::Write;

use prost_reflect::{EnumDescriptor, MessageDescriptor};
use quote::quote;

use crate::codegen::descriptors::DescriptorSet;
use crate::codegen::{field_behavior, names};

/// Generates `JsonMessage` for every message and `Enumeration` for every enum. For the crate itself
/// also the function that finds a type by its name; for others one that registers theirs.
pub fn generate(set: &DescriptorSet, root: &str, own: bool) -> String {
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
    // The messages' methods; none may be called.
    line(write, "#[allow(unused_imports)]\nuse ::eset_protect::codegen::JsonMessage as _;");
    for message in &messages {
        let path = names::message_path(message, root);
        let clear = field_behavior::clear_output_only(message, root);
        let clear = match clear.is_empty() {
            true => clear,
            false => quote! {
                fn clear_output_only(&mut self) {
                    #clear
                }
            },
        };
        line(write, &format!("impl ::eset_protect::codegen::JsonMessage for {path} {{ {clear} }}"));
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

fn implementation(enumeration: &EnumDescriptor, root: &str) -> String {
    let path = names::enum_path(enumeration, root);
    let name = enumeration.full_name();
    // prost knows one name of each number; a schema may have more.
    let numbers: String = enumeration
        .values()
        .map(|value| format!("\"{}\" => Some({}),\n", value.name(), value.number()))
        .collect();
    format!(
        "impl ::eset_protect::codegen::Enumeration for {path} {{
            const FULL_NAME: &'static str = \"{name}\";
            fn name(number: i32) -> Option<&'static str> {{
                Self::try_from(number).ok().map(|value| value.as_str_name())
            }}
            fn number(name: &str) -> Option<i32> {{
                match name {{
                    {numbers}
                    _ => None,
                }}
            }}
        }}"
    )
}

/// The names and the function that finds a type by one.
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
            arms.push(format!("\"{name}\" => visitor.well_known::<{path}>(),"));
        }
    }
    names.sort();
    format!(
        "/// The full names of all message types, sorted.
        pub const NAMES: &[&str] = &{names:?};

        /// Does something with the type of this full name.
        pub fn visit<V: TypeVisitor>(name: &str, visitor: V) -> V::Output {{
            match name {{
                {}
                _ => visitor.unknown(),
            }}
        }}",
        arms.join("\n")
    )
}
