//! For each service, what answers its RPCs for a REST front.

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::ServiceDescriptor;
use quote::{format_ident, quote};

use crate::codegen::descriptors::DescriptorSet;
use crate::codegen::{comments, names};

/// Generates a `Backend` per service over tonic's trait of the service.
pub fn generate(set: &DescriptorSet, root: &str) -> String {
    let services = set.files().flat_map(|file| file.services().collect::<Vec<_>>());
    services.map(|service| backend(&service, root).to_string()).collect()
}

fn path(text: &str) -> syn::Path {
    syn::parse_str(text).expect("names of protobuf make Rust paths")
}

fn backend(service: &ServiceDescriptor, root: &str) -> proc_macro2::TokenStream {
    let doc = comments::or_name(&service.parent_file(), service.path(), service.full_name());
    let name = format_ident!("{}", service.name().to_upper_camel_case());
    let text = service.name().to_upper_camel_case();
    let package = names::package_path(service.package_name(), root);
    let stub = names::module(service.name());
    let server = path(&format!("{package}::{stub}_server::{name}"));
    let module = path(&format!("crate::rpc::{stub}"));
    let new_doc = format!("`{}` as `service` answers it.", service.full_name());
    let mut specs = Vec::new();
    let mut arms = Vec::new();
    for method in service.methods() {
        let rpc = format_ident!("{}", method.name().to_upper_camel_case());
        let function = format_ident!("{}", method.name().to_snake_case());
        let grpc_path = format!("/{}/{}", service.full_name(), method.name());
        specs.push(quote!(<#module::#rpc as ::eset_protect::rpc::Rpc>::SPEC));
        arms.push(quote! {
            #grpc_path => ::std::boxed::Box::pin(call.answer::<#module::#rpc, _, _>(
                move |request| async move { service.#function(request).await },
            )),
        });
    }
    quote! {
        #[doc = #doc]
        pub struct #name<S>(::std::sync::Arc<S>);

        impl<S> #name<S> {
            #[doc = #new_doc]
            pub fn new(service: ::std::sync::Arc<S>) -> Self {
                Self(service)
            }
        }

        impl<S> ::std::fmt::Debug for #name<S> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#text).finish_non_exhaustive()
            }
        }

        impl<S: #server> ::eset_protect::server::Backend for #name<S> {
            fn methods(&self) -> &'static [&'static ::eset_protect::rpc::MethodSpec] {
                &[#(#specs),*]
            }

            fn call(
                &self,
                call: ::eset_protect::server::RestCall,
            ) -> ::eset_protect::server::RestFuture {
                let service = ::std::sync::Arc::clone(&self.0);
                match call.rpc().path {
                    #(#arms)*
                    _ => ::std::boxed::Box::pin(call.unimplemented()),
                }
            }
        }
    }
}
