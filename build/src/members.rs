//! The members by which a list is filtered and sorted as text.

use std::error::Error;

use proc_macro2::{Ident, TokenStream};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};
use quote::{format_ident, quote};

use crate::options::option;
use crate::{comments, descriptors, names};

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
    let order = input.get_field_by_name(ORDER_BY).as_ref().and_then(text).map(|text| {
        quote! {
            impl ::eset_protect::filter::OrderedRpc for #name {
                fn order_by(request: &mut #request) -> &mut ::std::string::String {
                    #text
                }
            }
        }
    });
    let mut filter = None;
    for field in input.fields() {
        if let Some(language) = language(&field)? {
            let wrong =
                || format!("{}: expected a text in no oneof as the expression", field.full_name());
            filter = Some((text(&field).ok_or_else(wrong)?, language));
        }
    }
    if order.is_none() && filter.is_none() {
        return Ok(None);
    }
    let filter = filter.map(|(text, language)| {
        let cel =
            (language == "Cel").then(|| quote!(impl ::eset_protect::filter::CelRpc for #name {}));
        quote! {
            impl ::eset_protect::filter::FilteredRpc for #name {
                const LANGUAGE: ::eset_protect::filter::Language =
                    ::eset_protect::filter::Language::#language;

                fn filter(request: &mut #request) -> &mut ::std::string::String {
                    #text
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
    for (at, member) in members.iter().enumerate() {
        let Some(other) = members.iter().take(at).find(|it| it.constant == member.constant) else {
            continue;
        };
        return Err(format!(
            "{}: the members {} and {} would both be named `{}` in Rust",
            method.full_name(),
            other.path,
            member.path,
            member.constant
        )
        .into());
    }
    let members = members.into_iter().map(|member| member.source);
    Ok(Some(quote! {
        #order
        #filter

        impl #name {
            #(#members)*
        }
    }))
}

/// Returns the code for a text of the request; `None` for a field that is none.
fn text(field: &FieldDescriptor) -> Option<TokenStream> {
    let is_text =
        field.kind() == Kind::String && !field.is_list() && descriptors::oneof_of(field).is_none();
    let name = names::snake(field.name());
    is_text.then(|| match field.supports_presence() {
        true => quote!(request.#name.get_or_insert_default()),
        false => quote!(&mut request.#name),
    })
}

/// Returns the language of an expression (`eset_protect.v1.expression`); `None` for another field.
fn language(field: &FieldDescriptor) -> Result<Option<Ident>, Box<dyn Error>> {
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

/// A constant for a member.
struct Member {
    constant: Ident,
    /// The member in the `.proto` file.
    path: String,
    source: TokenStream,
}

fn collect(message: &MessageDescriptor, above: &[FieldDescriptor], members: &mut Vec<Member>) {
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
        let source = quote! {
            #[doc = #doc]
            pub const #constant: ::eset_protect::filter::Member<Self, #value> =
                ::eset_protect::filter::Member::new(#json, #proto);
        };
        members.push(Member { constant, path: proto, source });
    }
}
