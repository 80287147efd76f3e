//! Maps protobuf names to names in generated Rust.

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};
use prost_reflect::{
    EnumDescriptor, FieldDescriptor, MessageDescriptor, OneofDescriptor, ServiceDescriptor,
};
use syn::{Path, parse_quote};

use crate::descriptors::DescriptorSet;

/// The module of the packages of `eset_protect`.
pub(crate) const ESET_PROTECT: &str = "::eset_protect::proto";

/// The package of the well-known types.
pub(crate) const PROTOBUF: &str = "google.protobuf";

/// The well-known types, which `eset_protect::wkt` has under these names: its own where `pbjson_types` deviates from the
/// ProtoJSON specification or cannot name the type, and `pbjson_types`' otherwise.
pub(crate) const WELL_KNOWN: &[&str] = &[
    "Any",
    "BoolValue",
    "BytesValue",
    "DoubleValue",
    "Duration",
    "Empty",
    "FieldMask",
    "FloatValue",
    "Int32Value",
    "Int64Value",
    "ListValue",
    "NullValue",
    "StringValue",
    "Struct",
    "Timestamp",
    "UInt32Value",
    "UInt64Value",
    "Value",
];

/// Whether a type is well-known.
pub(crate) fn is_well_known(package: &str, name: &str) -> bool {
    package == PROTOBUF && WELL_KNOWN.contains(&name)
}

/// Returns the Rust path of a well-known type.
pub(crate) fn well_known_path(name: &str) -> String {
    format!("::eset_protect::wkt::{name}")
}

impl DescriptorSet {
    /// Returns the Rust path of a message type.
    pub(crate) fn message_path(&self, message: &MessageDescriptor) -> Path {
        self.type_path(message.package_name(), message.parent_message(), message.name())
    }

    /// Returns the Rust path of an enum type.
    pub(crate) fn enum_path(&self, enumeration: &EnumDescriptor) -> Path {
        self.type_path(enumeration.package_name(), enumeration.parent_message(), enumeration.name())
    }

    /// Returns the Rust path of a field's variant of its oneof.
    pub(crate) fn variant_path(&self, oneof: &OneofDescriptor, field: &FieldDescriptor) -> Path {
        let message = oneof.parent_message();
        let name = oneof_name(oneof).to_string();
        let oneof = self.type_path(message.package_name(), Some(message.clone()), &name);
        let variant = camel(field.name());
        parse_quote!(#oneof::#variant)
    }

    /// Returns the Rust path of a type, which may be declared inside a message.
    fn type_path(&self, package: &str, outer: Option<MessageDescriptor>, name: &str) -> Path {
        if is_well_known(package, name) {
            return path(&well_known_path(name));
        }
        let mut modules: Vec<_> = std::iter::successors(outer, MessageDescriptor::parent_message)
            .map(|message| snake(message.name()))
            .collect();
        modules.reverse();
        let (package, name) = (path(&package_path(package, self.root_of(package))), camel(name));
        parse_quote!(#package #(::#modules)* ::#name)
    }

    /// Returns the path of the trait that tonic generates for a service.
    pub(crate) fn server_trait(&self, service: &ServiceDescriptor) -> Path {
        let package = service.package_name();
        let package = path(&package_path(package, self.root_of(package)));
        let (module, name) = (tonic_module(service, "server"), camel(service.name()));
        parse_quote!(#package::#module::#name)
    }
}

/// Returns the module that tonic generates for a service's `client` or `server`. In its spelling, each capital letter
/// begins a word.
pub(crate) fn tonic_module(service: &ServiceDescriptor, side: &str) -> Ident {
    let name = camel(service.name()).to_string();
    let words = name.char_indices().map(|(at, letter)| match letter.is_uppercase() && at > 0 {
        true => format!("_{}", letter.to_ascii_lowercase()),
        false => letter.to_ascii_lowercase().to_string(),
    });
    ident(&format!("{}_{side}", words.collect::<String>()))
}

/// Returns the name of an enum's value, which prost shortens by the name of the enum.
pub(crate) fn variant(enumeration: &str, value: &str) -> Ident {
    let name = camel(value);
    let text = name.to_string();
    match text.strip_prefix(enumeration).filter(|rest| rest.starts_with(char::is_uppercase)) {
        Some(rest) => ident(rest),
        None => name,
    }
}

/// Returns the Rust path of a package's module.
pub(crate) fn package_path(package: &str, root: &str) -> String {
    let mut parts = vec![root.to_owned()];
    parts.extend(module_parts(package));
    parts.join("::")
}

/// Returns the names of the nested modules of a package.
pub(crate) fn module_parts(package: &str) -> Vec<String> {
    package.split('.').map(module).collect()
}

/// Returns the module name of a package part, a message or a service.
pub(crate) fn module(name: &str) -> String {
    snake(name).to_string()
}

/// Returns the name of a type or a variant.
pub(crate) fn camel(name: &str) -> Ident {
    ident(&name.to_upper_camel_case())
}

/// Returns the type name of a oneof, which prost extends if another type in the message has it.
pub(crate) fn oneof_name(oneof: &OneofDescriptor) -> Ident {
    let name = camel(oneof.name());
    let message = oneof.parent_message();
    let messages = message.child_messages().map(|child| camel(child.name()));
    let enums = message.child_enums().map(|child| camel(child.name()));
    match messages.chain(enums).any(|other| other == name) {
        true => ident(&format!("{name}OneOf")),
        false => name,
    }
}

/// Returns the function name of an RPC, or the name of a struct's field.
pub(crate) fn snake(name: &str) -> Ident {
    ident(&name.to_snake_case())
}

/// Returns a Rust identifier, raw if it would be a keyword, as prost does.
pub(crate) fn ident(name: &str) -> Ident {
    let ident = |name: &str| Ident::new(name, Span::call_site());
    match name {
        // The first four cannot be raw identifiers, and prost writes the last one so.
        "self" | "super" | "crate" | "Self" | "extern" => ident(&format!("{name}_")),
        // A keyword since edition 2024, which syn does not know.
        "gen" => Ident::new_raw(name, Span::call_site()),
        _ => syn::parse_str(name).unwrap_or_else(|_| Ident::new_raw(name, Span::call_site())),
    }
}

/// Parses a Rust path.
pub(crate) fn path(text: &str) -> Path {
    syn::parse_str(text).expect("protobuf names are valid Rust paths")
}
