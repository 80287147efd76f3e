//! The fields of the messages that RPCs take and give, for those who bind paths and queries to them.

use std::collections::{BTreeMap, VecDeque};

use proc_macro2::TokenStream;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use quote::{format_ident, quote};

use crate::services::Service;

/// A table for each message that a request or a response of these services holds.
pub fn generate(services: &[Service]) -> TokenStream {
    let mut found = BTreeMap::new();
    let mut left: VecDeque<_> = services
        .iter()
        .flat_map(|service| service.descriptor.methods().collect::<Vec<_>>())
        .flat_map(|method| [method.input(), method.output()])
        .collect();
    while let Some(message) = left.pop_front() {
        if found.contains_key(message.full_name()) {
            continue;
        }
        left.extend(message.fields().filter_map(|field| nested(&field)));
        found.insert(message.full_name().to_owned(), message);
    }
    let tables = found.values().map(|message| {
        let name = table(message);
        let fields: Vec<_> = message.fields().map(|field| entry(&field)).collect();
        quote! {
            static #name: &[::eset_protect::rpc::Field] = &[#(#fields),*];
        }
    });
    let tables: Vec<_> = tables.collect();
    quote! {
        #[allow(non_upper_case_globals)]
        mod fields {
            #(pub(super) #tables)*
        }
    }
}

/// The name of a message's table: its full name, in which only dots become single underscores.
pub fn table(message: &MessageDescriptor) -> proc_macro2::Ident {
    format_ident!("{}", message.full_name().replace('_', "__").replace('.', "_"))
}

/// The message that a field holds, unless it has a JSON form of its own or is an entry of a map.
fn nested(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message)
            if !message.is_map_entry() && message.package_name() != "google.protobuf" =>
        {
            Some(message)
        }
        _ => None,
    }
}

fn entry(field: &FieldDescriptor) -> TokenStream {
    let (name, json_name) = (field.name(), field.json_name());
    let kind = match field.kind() {
        Kind::Bool => quote!(Bool),
        Kind::String => quote!(Text),
        Kind::Message(message) if message.is_map_entry() => quote!(Map),
        Kind::Message(message) => match nested(field) {
            Some(_) => {
                let table = table(&message);
                quote!(Message(|| #table))
            }
            None => match message.name() {
                "Any" | "Empty" | "ListValue" | "Struct" | "Value" => quote!(Map),
                "BoolValue" => quote!(Bool),
                _ => quote!(Scalar),
            },
        },
        _ => quote!(Scalar),
    };
    let is_list = field.is_list();
    quote! {
        ::eset_protect::rpc::Field {
            name: #name,
            json_name: #json_name,
            kind: ::eset_protect::rpc::FieldKind::#kind,
            is_list: #is_list,
        }
    }
}
