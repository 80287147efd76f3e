//! The list of RPCs, and a handle per service with a method per RPC.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use proc_macro2::TokenStream;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};
use quote::{format_ident, quote};

use crate::descriptors::DescriptorSet;
use crate::http_rules::{self, HttpRule};
use crate::options::option;
use crate::services::Service;
use crate::{Sources, comments, descriptors, members, modules, names};

/// The source of the two generated files.
pub(crate) struct Rpcs {
    /// A type for each RPC, and the functions that work on all of them.
    pub list: String,
    /// A handle per service.
    pub handles: String,
}

/// Generates both files.
pub(crate) fn generate(
    set: &DescriptorSet,
    services: &[Service],
    own: bool,
) -> Result<Rpcs, Box<dyn Error>> {
    let list = if own { "::eset_protect::rpc" } else { "crate::rpc" };
    let mut modules = Sources::new();
    let mut rest = TokenStream::new();
    let mut handles = TokenStream::new();
    let packages: BTreeSet<_> = services.iter().filter_map(Service::outer_module).collect();
    for service in services {
        let (name, doc) = (service.module_name(), service.doc());
        let rpcs = service
            .descriptor
            .methods()
            .map(|method| rpc(set, &method, &service.host))
            .collect::<Result<Vec<_>, _>>()?;
        let module = quote! {
            #[doc = #doc]
            pub mod #name {
                #(#rpcs)*
            }
        };
        let package = service.descriptor.package_name().to_owned();
        modules.entry(package).or_default().push_str(&module.to_string());
        let (path, short) = (service.module("self"), names::snake(&service.short_name));
        // A package has that module if it is named like its service.
        if !packages.contains(&short.to_string()) {
            rest.extend(quote! {
                #[doc(no_inline)]
                pub use #path as #short;
            });
        }
        handles.extend(handle(set, service, list, own));
    }
    rest.extend(whole_list(services, own));
    rest.extend(conversions(set, services));
    Ok(Rpcs { list: modules::nest(modules) + &rest.to_string(), handles: handles.to_string() })
}

/// Returns the type of an RPC.
fn rpc(
    set: &DescriptorSet,
    method: &MethodDescriptor,
    host: &str,
) -> Result<TokenStream, Box<dyn Error>> {
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(format!("{} is a stream; only unary RPCs are known", method.full_name()).into());
    }
    let doc = comments::or_name(&method.parent_file(), method.path(), method.full_name());
    let name = names::camel(method.name());
    let request = set.message_path(&method.input());
    let response = set.message_path(&method.output());
    let grpc_path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let level = idempotency(method);
    let rules = http_rules::of(method)?;
    let bindings = rules.iter().map(|HttpRule { verb, template, body, response_body }| {
        quote! {
            ::eset_protect::rpc::HttpBinding::new(#verb, #template)
                .body(#body)
                .response_body(#response_body)
        }
    });
    let (request_name, response_name) =
        (method.input().full_name().to_owned(), method.output().full_name().to_owned());
    let paged = paged(set, method, &name, &request, &response);
    let members = members::of(method, &request)?;
    let paging = paged.is_some().then(|| quote!(.paged()));
    let delete = is_delete(method, &rules).then(|| quote!(.delete()));
    let on_prem = on_prem(method)?;
    let output_field = output_field(set, method);
    let output_name = output_field.as_ref().map_or("", FieldDescriptor::name).to_owned();
    let (output, take) = match output_field.as_ref().map(|field| (field, field.kind())) {
        Some((field, Kind::Message(message))) => {
            let name = names::snake(field.name());
            (set.message_path(&message), quote!(response.#name))
        }
        _ => (response.clone(), quote!(::std::option::Option::Some(response))),
    };
    Ok(quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug)]
        pub struct #name;

        impl ::eset_protect::rpc::Rpc for #name {
            type Request = #request;
            type Response = #response;
            type Output = #output;
            const SPEC: &'static ::eset_protect::rpc::MethodSpec =
                &::eset_protect::rpc::MethodSpec::new(#grpc_path, #request_name, #response_name)
                    .host(#host)
                    .idempotency(::eset_protect::rpc::IdempotencyLevel::#level)
                    .http(&[#(#bindings),*])
                    #paging
                    #delete
                    #on_prem
                    .output_field(#output_name);

            fn output(response: #response) -> ::std::option::Option<#output> {
                #take
            }
        }

        #paged
        #members
    })
}

/// Returns the field with the message that a response only wraps, such as the task of `GetTaskResponse`.
fn output_field(set: &DescriptorSet, method: &MethodDescriptor) -> Option<FieldDescriptor> {
    let response = method.output();
    let is_envelope = response.name() == format!("{}Response", method.name());
    if !is_envelope || !set.is_own(&response.parent_file()) {
        return None;
    }
    only_field(&response).filter(|field| field.kind().as_message().is_some())
}

/// Returns the only field of a message, if it has exactly one and that is not repeated.
fn only_field(message: &MessageDescriptor) -> Option<FieldDescriptor> {
    let mut fields = message.fields();
    let (Some(field), None) = (fields.next(), fields.next()) else { return None };
    let is_single = !field.is_list() && !field.is_map() && field.containing_oneof().is_none();
    is_single.then_some(field)
}

fn idempotency(method: &MethodDescriptor) -> proc_macro2::Ident {
    use prost_reflect::prost_types::method_options::IdempotencyLevel;
    let options = method.method_descriptor_proto().options.as_ref();
    let level = options.map(prost_reflect::prost_types::MethodOptions::idempotency_level);
    match level {
        Some(IdempotencyLevel::NoSideEffects) => format_ident!("NoSideEffects"),
        Some(IdempotencyLevel::Idempotent) => format_ident!("Idempotent"),
        _ => format_ident!("Unknown"),
    }
}

/// Whether an RPC deletes the one resource that its path names, and returns nothing (AIP-135).
fn is_delete(method: &MethodDescriptor, rules: &[HttpRule]) -> bool {
    let is_one = |rule: &HttpRule| rule.verb == "DELETE" && rule.template.contains('{');
    let is_silent = method.output().fields().next().is_none();
    is_silent && idempotency(method) == "Idempotent" && rules.first().is_some_and(is_one)
}

/// Returns where ESET PROTECT On-Prem has an RPC, by our own options.
fn on_prem(method: &MethodDescriptor) -> Result<Option<TokenStream>, Box<dyn Error>> {
    let version = |name: &str| {
        let option = option(method.parent_pool(), &method.options(), name);
        let text = option.as_ref().and_then(Value::as_str);
        let parsed = text.map(|text| {
            let (major, minor) = text.split_once('.')?;
            let (major, minor): (u16, u16) = (major.parse().ok()?, minor.parse().ok()?);
            Some(quote!((#major, #minor)))
        });
        let wrong = || format!("{}: {name} is {text:?}, expected `13.0`", method.full_name());
        parsed.map(|version| version.ok_or_else(wrong)).transpose()
    };
    let since = version("eset_protect.v1.on_prem_since")?;
    let renamed_in = match version("eset_protect.v1.on_prem_renamed_in")? {
        Some(version) => quote!(Some(#version)),
        None => quote!(None),
    };
    Ok(since.map(|since| quote!(.on_prem(::eset_protect::rpc::OnPrem::new(#since, #renamed_in)))))
}

/// Returns the field with the items of a page, if the RPC lists in pages (AIP-158).
fn paged_items(method: &MethodDescriptor) -> Option<FieldDescriptor> {
    let has = |message: &MessageDescriptor, name: &str, kinds: &[Kind]| {
        message.get_field_by_name(name).is_some_and(|field| {
            kinds.contains(&field.kind())
                && !field.is_list()
                && descriptors::oneof_of(&field).is_none()
        })
    };
    let (input, output) = (method.input(), method.output());
    let fits = has(&input, "page_size", &[Kind::Int32, Kind::Uint32])
        && has(&input, "page_token", &[Kind::String])
        && has(&output, "next_page_token", &[Kind::String]);
    let is_items = |field: &FieldDescriptor| field.is_list() && field.kind().as_message().is_some();
    let lists: Vec<_> = output.fields().filter(is_items).collect();
    match lists.as_slice() {
        [items] if fits => Some(items.clone()),
        _ => None,
    }
}

/// Generates `PagedRpc` for an RPC that lists in pages (AIP-158).
fn paged(
    set: &DescriptorSet,
    method: &MethodDescriptor,
    name: &proc_macro2::Ident,
    request: &syn::Path,
    response: &syn::Path,
) -> Option<TokenStream> {
    let items = paged_items(method)?;
    let field = names::snake(items.name());
    let Kind::Message(item) = items.kind() else { return None };
    let item = set.message_path(&item);
    let field_of = |message: MessageDescriptor, name| message.get_field_by_name(name);
    let is_optional =
        |message, name| field_of(message, name).is_some_and(|field| field.supports_presence());
    let size = match field_of(method.input(), "page_size").map(|field| field.kind()) {
        Some(Kind::Int32) => quote!(i32::try_from(size).unwrap_or(i32::MAX)),
        _ => quote!(size),
    };
    let set_size = match is_optional(method.input(), "page_size") {
        true => quote!(request.page_size.get_or_insert(#size);),
        false => quote! {
            if request.page_size == 0 {
                request.page_size = #size;
            }
        },
    };
    let token = match is_optional(method.input(), "page_token") {
        true => quote!(request.page_token.get_or_insert_default()),
        false => quote!(&mut request.page_token),
    };
    let next_token = match is_optional(method.output(), "next_page_token") {
        true => quote!(response.next_page_token.as_deref().unwrap_or_default()),
        false => quote!(&response.next_page_token),
    };
    Some(quote! {
        impl ::eset_protect::rpc::PagedRpc for #name {
            type Item = #item;

            fn set_default_page_size(request: &mut #request, size: u32) {
                #set_size
            }

            fn page_token(request: &mut #request) -> &mut ::std::string::String {
                #token
            }

            fn next_page_token(response: &#response) -> &str {
                #next_token
            }

            fn items(response: #response) -> ::std::vec::Vec<#item> {
                response.#field
            }
        }
    })
}

/// Generates the handle of a service.
fn handle(set: &DescriptorSet, service: &Service, list: &str, own: bool) -> TokenStream {
    let (name, doc) = (service.type_name(), service.doc());
    let function = names::snake(&service.short_name);
    let module = service.module(list);
    let methods = service.descriptor.methods().map(|method| {
        let doc = comments::or_name(&method.parent_file(), method.path(), method.full_name());
        let (function, rpc) = (names::snake(method.name()), names::camel(method.name()));
        let request = set.message_path(&method.input());
        quote! {
            #[doc = #doc]
            pub fn #function(
                &self,
                request: impl ::std::convert::Into<#request>,
            ) -> ::eset_protect::Call<#module::#rpc> {
                self.client.call(request.into())
            }
        }
    });
    let full_name = service.descriptor.full_name();
    let new_doc = format!("The service `{full_name}` by way of `client`.");
    let shortcut = own.then(|| {
        quote! {
            impl ::eset_protect::Client {
                #[doc = #doc]
                pub fn #function(&self) -> #name {
                    #name::new(self.clone())
                }
            }
        }
    });
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        pub struct #name {
            client: ::eset_protect::Client,
        }

        impl #name {
            #[doc = #new_doc]
            pub fn new(client: ::eset_protect::Client) -> Self {
                Self { client }
            }

            #(#methods)*
        }

        #shortcut
    }
}

/// Generates conversions into the requests and responses that are generated here; several RPCs may share one.
fn conversions(set: &DescriptorSet, services: &[Service]) -> TokenStream {
    let mut messages = BTreeMap::new();
    for method in services.iter().flat_map(|service| service.descriptor.methods()) {
        let request = Some(method.input()).filter(|input| set.is_own(&input.parent_file()));
        let response = output_field(set, &method).map(|_| method.output());
        let both = [request, response].into_iter().flatten();
        messages.extend(both.map(|message| (message.full_name().to_owned(), message)));
    }
    messages.values().filter_map(|message| conversion(set, message)).collect()
}

/// Generates the conversion of a field's value into a message that has only this field.
fn conversion(set: &DescriptorSet, message: &MessageDescriptor) -> Option<TokenStream> {
    let field = only_field(message)?;
    let target = set.message_path(message);
    let name = names::snake(field.name());
    match field.kind() {
        Kind::String => Some(quote! {
            impl From<&str> for #target {
                fn from(#name: &str) -> Self {
                    Self { #name: #name.to_owned() }
                }
            }

            impl From<String> for #target {
                fn from(#name: String) -> Self {
                    Self { #name }
                }
            }
        }),
        Kind::Message(message) => {
            let source = set.message_path(&message);
            Some(quote! {
                impl From<#source> for #target {
                    fn from(#name: #source) -> Self {
                        Self { #name: Some(#name) }
                    }
                }
            })
        }
        _ => None,
    }
}

/// Generates the list of all RPCs, and the function that finds an RPC's type by its path.
fn whole_list(services: &[Service], own: bool) -> TokenStream {
    let mut specs = Vec::new();
    let mut arms = Vec::new();
    for service in services {
        let module = service.module("self");
        for method in service.descriptor.methods() {
            let name = names::camel(method.name());
            let grpc_path = format!("/{}/{}", service.descriptor.full_name(), method.name());
            specs.push(quote!(<#module::#name as ::eset_protect::rpc::Rpc>::SPEC));
            let visit = match paged_items(&method) {
                Some(_) => quote!(paged_rpc),
                None => quote!(rpc),
            };
            arms.push(quote!(#grpc_path => Some(visitor.#visit::<#module::#name>()),));
        }
    }
    let of = if own { "crate" } else { "package" };
    let doc = format!("Every RPC of the {of}, in the order of the `.proto` files.");
    quote! {
        #[doc = #doc]
        pub const METHODS: &[&::eset_protect::rpc::MethodSpec] = &[#(#specs),*];

        /// Calls the visitor with the RPC of a gRPC path, such as `/package.Service/Method`; returns
        /// `None` if there is no such RPC.
        #[allow(unused_variables, clippy::match_single_binding, clippy::needless_pass_by_value)]
        pub fn visit<V: ::eset_protect::rpc::RpcVisitor>(
            path: &str,
            visitor: V,
        ) -> Option<V::Output> {
            match path {
                #(#arms)*
                _ => None,
            }
        }
    }
}
