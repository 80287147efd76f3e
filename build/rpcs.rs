//! The list of RPCs, and a handle per service with a method per RPC.

use std::error::Error;

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::TokenStream;
use prost_reflect::{
    FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
};
use quote::{format_ident, quote};

use crate::codegen::descriptors::DescriptorSet;
use crate::codegen::http_rules::{self, HttpRule};
use crate::codegen::{comments, fields, names};

/// What the two generated files hold.
pub struct Rpcs {
    /// A type for each RPC, and the functions that go over all of them.
    pub list: String,
    /// The handles.
    pub handles: String,
}

/// Generates both. Every service needs a host, and every host a service.
pub fn generate(
    set: &DescriptorSet,
    hosts: &[(&str, &str)],
    root: &str,
    own: bool,
) -> Result<Rpcs, Box<dyn Error>> {
    let services: Vec<_> =
        set.files().flat_map(|file| file.services().collect::<Vec<_>>()).collect();
    if let Some((name, _)) =
        hosts.iter().find(|(name, _)| !services.iter().any(|service| service.full_name() == *name))
    {
        return Err(format!("no .proto file has the service {name}, which has a host").into());
    }

    let mut list = TokenStream::new();
    let mut handles = TokenStream::new();
    let mut conversions = TokenStream::new();
    for service in &services {
        let host =
            hosts.iter().find(|(name, _)| *name == service.full_name()).ok_or_else(|| {
                format!("the service {} has no host in the list of services", service.full_name())
            })?;
        let module = format_ident!("{}", names::module(service.name()));
        let doc = comments::or_name(&service.parent_file(), service.path(), service.full_name());
        let rpcs = service
            .methods()
            .map(|method| rpc(&method, host.1, root))
            .collect::<Result<Vec<_>, _>>()?;
        list.extend(quote! {
            #[doc = #doc]
            pub mod #module {
                #(#rpcs)*
            }
        });
        handles.extend(handle(service, &doc, root, own));
        for method in service.methods() {
            conversions.extend(conversion(&method.input(), root));
        }
    }
    list.extend(whole_list(&services, own));
    list.extend(fields::generate(&services));
    list.extend(conversions);
    Ok(Rpcs { list: list.to_string(), handles: handles.to_string() })
}

fn path(text: &str) -> syn::Path {
    syn::parse_str(text).expect("names of protobuf make Rust paths")
}

/// The type that stands for an RPC.
fn rpc(method: &MethodDescriptor, host: &str, root: &str) -> Result<TokenStream, Box<dyn Error>> {
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(format!("{} is a stream; only unary RPCs are known", method.full_name()).into());
    }
    let doc = comments::or_name(&method.parent_file(), method.path(), method.full_name());
    let name = format_ident!("{}", method.name().to_upper_camel_case());
    let request = path(&names::message_path(&method.input(), root));
    let response = path(&names::message_path(&method.output(), root));
    let service_name = method.parent_service().full_name().to_owned();
    let method_name = method.name();
    let grpc_path = format!("/{service_name}/{method_name}");
    let level = idempotency(method);
    let bindings = bindings(method)?;
    let (request_table, response_table) =
        (fields::table(&method.input()), fields::table(&method.output()));
    let (request_name, response_name) =
        (method.input().full_name().to_owned(), method.output().full_name().to_owned());
    let paged = paged(method, &name, &request, &response, root);
    let is_paged = paged.is_some();
    Ok(quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug)]
        pub struct #name;

        impl ::eset_protect::rpc::Rpc for #name {
            type Request = #request;
            type Response = #response;
            const SPEC: &'static ::eset_protect::rpc::MethodSpec =
                &::eset_protect::rpc::MethodSpec {
                    service: #service_name,
                    method: #method_name,
                    path: #grpc_path,
                    host: #host,
                    request: #request_name,
                    response: #response_name,
                    request_fields: || super::fields::#request_table,
                    response_fields: || super::fields::#response_table,
                    idempotency: ::eset_protect::rpc::IdempotencyLevel::#level,
                    http: &[#(#bindings),*],
                    is_paged: #is_paged,
                };
        }

        #paged
    })
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

/// The HTTP bindings, the main one first.
fn bindings(method: &MethodDescriptor) -> Result<Vec<TokenStream>, Box<dyn Error>> {
    let bindings = http_rules::of(method)?.into_iter().map(|rule| {
        let HttpRule { verb, template, body, response_body } = rule;
        quote! {
            ::eset_protect::rpc::HttpBinding {
                method: #verb,
                path: #template,
                body: #body,
                response_body: #response_body,
            }
        }
    });
    Ok(bindings.collect())
}

/// What a list call needs to go from page to page (AIP-158).
fn paged(
    method: &MethodDescriptor,
    name: &proc_macro2::Ident,
    request: &syn::Path,
    response: &syn::Path,
    root: &str,
) -> Option<TokenStream> {
    let has = |message: &MessageDescriptor, name: &str, kind: Kind| {
        message.get_field_by_name(name).is_some_and(|field| field.kind() == kind)
    };
    let (input, output) = (method.input(), method.output());
    let fits = has(&input, "page_size", Kind::Uint32)
        && has(&input, "page_token", Kind::String)
        && has(&output, "next_page_token", Kind::String);
    let lists: Vec<_> = output.fields().filter(FieldDescriptor::is_list).collect();
    let [items] = lists.as_slice() else { return None };
    if !fits {
        return None;
    }
    let field = format_ident!("{}", items.name().to_snake_case());
    let Kind::Message(item) = items.kind() else { return None };
    let item = path(&names::message_path(&item, root));
    Some(quote! {
        impl ::eset_protect::rpc::PagedRpc for #name {
            type Item = #item;

            fn page_size(request: &mut #request) -> &mut u32 {
                &mut request.page_size
            }

            fn page_token(request: &mut #request) -> &mut String {
                &mut request.page_token
            }

            fn next_page_token(response: &#response) -> &str {
                &response.next_page_token
            }

            fn items(response: #response) -> Vec<#item> {
                response.#field
            }
        }
    })
}

/// The handle of a service.
fn handle(service: &ServiceDescriptor, doc: &str, root: &str, own: bool) -> TokenStream {
    let name = format_ident!("{}", service.name().to_upper_camel_case());
    let module = format_ident!("{}", names::module(service.name()));
    let list = if own { path("::eset_protect::rpc") } else { path("crate::rpc") };
    let methods = service.methods().map(|method| {
        let doc = comments::or_name(&method.parent_file(), method.path(), method.full_name());
        let function = format_ident!("{}", method.name().to_snake_case());
        let rpc = format_ident!("{}", method.name().to_upper_camel_case());
        let request = path(&names::message_path(&method.input(), root));
        quote! {
            #[doc = #doc]
            pub fn #function(
                &self,
                request: impl Into<#request>,
            ) -> ::eset_protect::Call<#list::#module::#rpc> {
                self.client.call(request.into())
            }
        }
    });
    let full_name = service.full_name();
    let new_doc = format!("The service `{full_name}` by way of `client`.");
    let shortcut = own.then(|| {
        quote! {
            impl ::eset_protect::Client {
                #[doc = #doc]
                pub fn #module(&self) -> #name {
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

/// A request that has one field is made from that field's value alone.
fn conversion(request: &MessageDescriptor, root: &str) -> Option<TokenStream> {
    let mut fields = request.fields();
    let (Some(field), None) = (fields.next(), fields.next()) else { return None };
    if field.is_list() || field.is_map() || field.containing_oneof().is_some() {
        return None;
    }
    let target = path(&names::message_path(request, root));
    let name = format_ident!("{}", field.name().to_snake_case());
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
            let source = path(&names::message_path(&message, root));
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

/// All RPCs as values, and as types for those who know a path only.
fn whole_list(services: &[ServiceDescriptor], own: bool) -> TokenStream {
    let mut specs = Vec::new();
    let mut arms = Vec::new();
    for service in services {
        let module = format_ident!("{}", names::module(service.name()));
        for method in service.methods() {
            let name = format_ident!("{}", method.name().to_upper_camel_case());
            let grpc_path = format!("/{}/{}", service.full_name(), method.name());
            specs.push(quote!(<#module::#name as ::eset_protect::rpc::Rpc>::SPEC));
            arms.push(quote!(#grpc_path => Some(visitor.rpc::<#module::#name>()),));
        }
    }
    let of = if own { "crate" } else { "package" };
    let doc = format!("Every RPC of the {of}, in the order of the `.proto` files.");
    quote! {
        #[doc = #doc]
        pub const METHODS: &[&::eset_protect::rpc::MethodSpec] = &[#(#specs),*];

        /// Does something with the RPC of this gRPC path, such as `/package.Service/Method`; `None`
        /// if there is none.
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
