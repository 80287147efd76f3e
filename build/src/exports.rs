//! Generates what the root of `eset_protect` re-exports for each service.

use std::collections::BTreeSet;

use quote::quote;

use crate::names;
use crate::services::Service;

/// Returns the re-exports of the handles, and of the packages under their names without versions.
pub(crate) fn generate(services: &[Service]) -> String {
    let handles = services.iter().map(Service::type_name);
    let packages: BTreeSet<_> = services.iter().map(Service::package_without_version).collect();
    let packages =
        packages.iter().map(|package| names::path(&names::package_path(package, "proto")));
    quote! {
        #(pub use client::#handles;)*
        #(#[doc(no_inline)] pub use #packages;)*
    }
    .to_string()
}
