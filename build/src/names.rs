//! Maps protobuf names to names in generated Rust.

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};
use prost_reflect::{EnumDescriptor, MessageDescriptor};

/// The well-known types and their Rust types: ours where `pbjson_types` deviates from the ProtoJSON
/// specification or cannot name the type, and `pbjson_types`' otherwise.
pub(crate) const WELL_KNOWN: &[(&str, &str)] = &[
    ("google.protobuf.Any", "::eset_protect::wkt::Any"),
    ("google.protobuf.Duration", "::eset_protect::wkt::Duration"),
    ("google.protobuf.FieldMask", "::eset_protect::wkt::FieldMask"),
    ("google.protobuf.Timestamp", "::eset_protect::wkt::Timestamp"),
    ("google.protobuf.BoolValue", "::eset_protect::wkt::BoolValue"),
    ("google.protobuf.BytesValue", "::eset_protect::wkt::BytesValue"),
    ("google.protobuf.DoubleValue", "::eset_protect::wkt::DoubleValue"),
    ("google.protobuf.FloatValue", "::eset_protect::wkt::FloatValue"),
    ("google.protobuf.Int32Value", "::eset_protect::wkt::Int32Value"),
    ("google.protobuf.Int64Value", "::eset_protect::wkt::Int64Value"),
    ("google.protobuf.StringValue", "::eset_protect::wkt::StringValue"),
    ("google.protobuf.UInt32Value", "::eset_protect::wkt::UInt32Value"),
    ("google.protobuf.UInt64Value", "::eset_protect::wkt::UInt64Value"),
    ("google.protobuf.Empty", "::eset_protect::wkt::Empty"),
    ("google.protobuf.ListValue", "::eset_protect::wkt::ListValue"),
    ("google.protobuf.NullValue", "::eset_protect::wkt::NullValue"),
    ("google.protobuf.Struct", "::eset_protect::wkt::Struct"),
    ("google.protobuf.Value", "::eset_protect::wkt::Value"),
];

/// Whether a full name is that of a well-known type.
pub(crate) fn is_well_known(name: &str) -> bool {
    WELL_KNOWN.iter().any(|(known, _)| *known == name)
}

/// Returns the Rust path of a message type; `root` is the module of all packages.
pub(crate) fn message_path(message: &MessageDescriptor, root: &str) -> String {
    let outer = outer_names(message.parent_message());
    type_path(message.full_name(), message.package_name(), &outer, message.name(), root)
}

/// Returns the module of the types declared inside a message.
pub(crate) fn message_scope(message: &MessageDescriptor, root: &str) -> String {
    let path = message_path(message, root);
    let (parent, name) = path.rsplit_once("::").unwrap_or(("", &path));
    format!("{parent}::{}", module(name))
}

/// Returns the Rust path of an enum type.
pub(crate) fn enum_path(enumeration: &EnumDescriptor, root: &str) -> String {
    let outer = outer_names(enumeration.parent_message());
    type_path(enumeration.full_name(), enumeration.package_name(), &outer, enumeration.name(), root)
}

fn outer_names(mut outer: Option<MessageDescriptor>) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(message) = outer {
        names.insert(0, message.name().to_owned());
        outer = message.parent_message();
    }
    names
}

fn type_path(full: &str, package: &str, outer: &[String], name: &str, root: &str) -> String {
    if let Some((_, rust)) = WELL_KNOWN.iter().find(|(proto, _)| *proto == full) {
        return (*rust).to_owned();
    }
    let mut parts = vec![package_path(package, root)];
    parts.extend(outer.iter().map(|name| name.to_snake_case()));
    parts.push(name.to_upper_camel_case());
    parts.join("::")
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

/// Returns the type name of a message, an enum or a oneof.
pub(crate) fn type_name(name: &str) -> String {
    camel(name).to_string()
}

/// Returns the type name as an identifier.
pub(crate) fn camel(name: &str) -> Ident {
    ident(&name.to_upper_camel_case())
}

/// Returns the function name of an RPC, or the name of a struct's field.
pub(crate) fn snake(name: &str) -> Ident {
    ident(&name.to_snake_case())
}

/// Returns a Rust identifier, raw if it would be a keyword, as prost does.
pub(crate) fn ident(name: &str) -> Ident {
    match syn::parse_str(name) {
        Ok(ident) => ident,
        // These cannot be raw identifiers.
        Err(_) if matches!(name, "self" | "super" | "crate" | "Self" | "_") => {
            Ident::new(&format!("{name}_"), Span::call_site())
        }
        Err(_) => Ident::new_raw(name, Span::call_site()),
    }
}

/// Parses a Rust path.
pub(crate) fn path(text: &str) -> syn::Path {
    syn::parse_str(text).expect("protobuf names are valid Rust paths")
}
