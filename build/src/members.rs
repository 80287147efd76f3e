//! The members by which a list is filtered and sorted as text.

use std::error::Error;

use proc_macro2::TokenStream;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};
use quote::{format_ident, quote};

use crate::options::option;
use crate::{comments, names};

/// The field with an order (AIP-132).
const ORDER_BY: &str = "order_by";
/// How deep messages inside messages have members.
const MAX_DEPTH: usize = 3;

/// Generates the traits and constants of an RPC that filters or sorts by text; nothing for others.
pub(crate) fn of(
    method: &MethodDescriptor,
    request: &syn::Path,
) -> Result<Option<TokenStream>, Box<dyn Error>> {
    let name = names::camel(method.name());
    let input = method.input();
    let is_text = |field: &FieldDescriptor| field.kind() == Kind::String && !field.is_list();
    let order = input.get_field_by_name(ORDER_BY).filter(is_text).map(|field| {
        let field = names::snake(field.name());
        quote! {
            impl ::eset_protect::filter::OrderedRpc for #name {
                fn order_by(request: &mut #request) -> &mut ::std::string::String {
                    &mut request.#field
                }
            }
        }
    });
    let mut filter = None;
    for field in input.fields() {
        if let Some(language) = language(&field)? {
            filter = Some((field, language));
        }
    }
    if order.is_none() && filter.is_none() {
        return Ok(None);
    }
    let filter = filter.map(|(field, language)| {
        let field = names::snake(field.name());
        let cel =
            (language == "Cel").then(|| quote!(impl ::eset_protect::filter::CelRpc for #name {}));
        quote! {
            impl ::eset_protect::filter::FilteredRpc for #name {
                const LANGUAGE: ::eset_protect::filter::Language =
                    ::eset_protect::filter::Language::#language;

                fn filter(request: &mut #request) -> &mut ::std::string::String {
                    &mut request.#field
                }
            }

            #cel
        }
    });
    let listed = method.output().fields().find(FieldDescriptor::is_list);
    let Some(Kind::Message(resource)) = listed.map(|field| field.kind()) else {
        return Err(format!("{} filters or sorts, but lists nothing", method.full_name()).into());
    };
    let mut members = Vec::new();
    collect(&resource, &[], &mut members);
    Ok(Some(quote! {
        #order
        #filter

        impl #name {
            #(#members)*
        }
    }))
}

/// Returns the language of an expression (`eset_protect.v1.expression`); `None` for another field.
fn language(field: &FieldDescriptor) -> Result<Option<proc_macro2::Ident>, Box<dyn Error>> {
    let language = option(field.parent_pool(), &field.options(), "eset_protect.v1.expression");
    match language.as_ref().and_then(Value::as_str) {
        None => Ok(None),
        Some("cel") => Ok(Some(format_ident!("Cel"))),
        Some("words") => Ok(Some(format_ident!("Words"))),
        Some(other) => {
            let name = field.full_name();
            Err(format!("{name}: expected the expression `cel` or `words`, found {other:?}").into())
        }
    }
}

fn collect(message: &MessageDescriptor, above: &[FieldDescriptor], members: &mut Vec<TokenStream>) {
    for field in message.fields().filter(|field| !field.is_list() && !field.is_map()) {
        let mut path = above.to_vec();
        path.push(field.clone());
        let value = match field.kind() {
            Kind::Message(inner) if inner.full_name() == "google.protobuf.Timestamp" => {
                quote!(::eset_protect::wkt::Timestamp)
            }
            Kind::Message(inner) if inner.full_name() == "google.protobuf.Duration" => quote!(()),
            Kind::Message(inner) => {
                if path.len() < MAX_DEPTH && !inner.package_name().starts_with("google.") {
                    collect(&inner, &path, members);
                }
                continue;
            }
            Kind::String => quote!(::std::string::String),
            Kind::Bool => quote!(bool),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => quote!(i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => quote!(i64),
            Kind::Uint32 | Kind::Fixed32 => quote!(u32),
            Kind::Uint64 | Kind::Fixed64 => quote!(u64),
            Kind::Float => quote!(f32),
            Kind::Double => quote!(f64),
            Kind::Enum(_) | Kind::Bytes => quote!(()),
        };
        let join = |name: fn(&FieldDescriptor) -> &str, by: &str| {
            path.iter().map(name).collect::<Vec<_>>().join(by)
        };
        let json = join(FieldDescriptor::json_name, ".");
        let proto = join(FieldDescriptor::name, ".");
        let constant = format_ident!("{}", join(FieldDescriptor::name, "_").to_uppercase());
        let doc = comments::or_name(&field.parent_file(), field.path(), &proto);
        members.push(quote! {
            #[doc = #doc]
            pub const #constant: ::eset_protect::filter::Member<Self, #value> =
                ::eset_protect::filter::Member::new(#json, #proto);
        });
    }
}
