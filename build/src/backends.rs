//! Generates the backends through which a REST front calls the services, and the list of all services.

use quote::{format_ident, quote};

use crate::descriptors::DescriptorSet;
use crate::names;
use crate::services::Service;

/// The name of the list, which no backend may have.
const ALL: &str = "AllServices";

/// Generates a `Backend` per service, based on tonic's trait for the service, and `AllServices`.
pub(crate) fn generate(set: &DescriptorSet, services: &[Service], own: bool) -> String {
    let backends = services.iter().map(|service| backend(set, service).to_string());
    backends.chain([all_services(own).to_string()]).collect()
}

fn all_services(own: bool) -> proc_macro2::TokenStream {
    let module = if own { quote!(crate::proto) } else { quote!(crate) };
    let all = names::ident(ALL);
    let registered = if own { quote!(registry) } else { quote!(crate::types::register(registry)) };
    quote! {
        #[doc = "All services of this crate, for a server that answers them by their descriptors."]
        #[derive(Clone, Copy, Debug)]
        pub struct #all;

        impl ::eset_protect::server::Services for #all {
            const METHODS: &'static [&'static ::eset_protect::rpc::MethodSpec] =
                crate::rpc::METHODS;
            const DESCRIPTORS: &'static [u8] = #module::FILE_DESCRIPTOR_SET;

            fn visit<V: ::eset_protect::rpc::RpcVisitor>(
                path: &str,
                visitor: V,
            ) -> ::std::option::Option<V::Output> {
                crate::rpc::visit(path, visitor)
            }

            fn register(
                registry: ::eset_protect::wkt::TypeRegistry,
            ) -> ::eset_protect::wkt::TypeRegistry {
                #registered
            }
        }
    }
}

fn backend(set: &DescriptorSet, service: &Service) -> proc_macro2::TokenStream {
    let doc = service.doc();
    let name = match service.type_name() {
        name if name == ALL => format_ident!("{ALL}_"),
        name => name,
    };
    let text = name.to_string();
    let descriptor = &service.descriptor;
    let server = set.server_trait(descriptor);
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
                move |request| async move { <S as #server>::#function(&service, request).await },
            )),
        });
    }
    quote! {
        #[doc = #doc]
        pub struct #name<S>(::std::sync::Arc<S>);

        // `self::`, as a service may be named like the parameter.
        impl<S> self::#name<S> {
            #[doc = #new_doc]
            pub fn new(service: ::std::sync::Arc<S>) -> Self {
                Self(service)
            }
        }

        impl<S> ::std::fmt::Debug for self::#name<S> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#text).finish_non_exhaustive()
            }
        }

        impl<S: #server> ::eset_protect::server::Backend for self::#name<S> {
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
