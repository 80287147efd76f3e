//! Generates the backends through which a REST front calls the services.

use heck::ToSnakeCase;
use quote::quote;

use crate::names;
use crate::services::Service;

/// Generates a `Backend` per service, based on tonic's trait for the service.
pub fn generate(services: &[Service], root: &str) -> String {
    services.iter().map(|service| backend(service, root).to_string()).collect()
}

fn backend(service: &Service, root: &str) -> proc_macro2::TokenStream {
    let (name, doc) = (service.type_name(), service.doc());
    let text = name.to_string();
    let descriptor = &service.descriptor;
    let package = names::package_path(descriptor.package_name(), root);
    // tonic's spelling.
    let stub = descriptor.name().to_snake_case();
    let server = names::path(&format!("{package}::{stub}_server::{}", descriptor.name()));
    let module = service.module("crate::rpc");
    let new_doc = format!("Serves `{}` by calling `service`.", descriptor.full_name());
    let mut specs = Vec::new();
    let mut arms = Vec::new();
    for method in descriptor.methods() {
        let (function, rpc) = (names::snake(method.name()), names::camel(method.name()));
        let grpc_path = format!("/{}/{}", descriptor.full_name(), method.name());
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
