//! The codec of each field: the crate's own code for the JSON of a kind of value (`src/json/`).

use prost_reflect::{FieldDescriptor, Kind};
use syn::{Type, parse_quote};

use crate::descriptors::DescriptorSet;

/// Returns the codec of a field.
pub(crate) fn of(set: &DescriptorSet, field: &FieldDescriptor) -> Type {
    let kind = field.kind();
    if let Some(entry) = kind.as_message().filter(|message| message.is_map_entry()) {
        let key = of_value(set, &entry.map_entry_key_field());
        let value = of_value(set, &entry.map_entry_value_field());
        return parse_quote!(::eset_protect::codegen::Map<#key, #value>);
    }
    let value = of_value(set, field);
    match field.is_list() {
        true => parse_quote!(::eset_protect::codegen::Repeated<#value>),
        false => value,
    }
}

/// Returns the codec of a single value of a field.
fn of_value(set: &DescriptorSet, field: &FieldDescriptor) -> Type {
    match field.kind() {
        Kind::Double => parse_quote!(::eset_protect::codegen::Float<f64>),
        Kind::Float => parse_quote!(::eset_protect::codegen::Float<f32>),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            parse_quote!(::eset_protect::codegen::Int<i32>)
        }
        Kind::Uint32 | Kind::Fixed32 => parse_quote!(::eset_protect::codegen::Int<u32>),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            parse_quote!(::eset_protect::codegen::Long<i64>)
        }
        Kind::Uint64 | Kind::Fixed64 => parse_quote!(::eset_protect::codegen::Long<u64>),
        Kind::Bool => parse_quote!(::eset_protect::codegen::Bool),
        Kind::String => parse_quote!(::eset_protect::codegen::Text),
        Kind::Bytes => parse_quote!(::eset_protect::codegen::Base64),
        Kind::Enum(enumeration) => {
            let path = set.enum_path(&enumeration);
            parse_quote!(::eset_protect::codegen::Open<#path>)
        }
        Kind::Message(_) => parse_quote!(::eset_protect::codegen::Msg<_>),
    }
}
