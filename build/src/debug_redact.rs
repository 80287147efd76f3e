//! Keeps secrets out of `Debug`: fields with protobuf's option `debug_redact`.

use proc_macro2::TokenStream;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use quote::quote;

use crate::descriptors::{self, DescriptorSet};
use crate::names;

fn is_secret(field: &FieldDescriptor) -> bool {
    let value = field.options().get_field_by_name("debug_redact").and_then(|value| value.as_bool());
    value.unwrap_or(false)
}

/// Whether a message has such a field, so that prost must not derive `Debug`.
///
/// # Errors
///
/// Fails if the field is in a oneof, whose type prost derives `Debug` for.
pub(crate) fn has_secrets(message: &MessageDescriptor) -> Result<bool, String> {
    match message.fields().find(|field| is_secret(field) && descriptors::oneof_of(field).is_some())
    {
        Some(field) => {
            Err(format!("{}: debug_redact is not supported in a oneof", field.full_name()))
        }
        None => Ok(message.fields().any(|field| is_secret(&field))),
    }
}

/// Implements `Debug` for a message with secrets; empty for others.
pub(crate) fn debug(message: &MessageDescriptor, set: &DescriptorSet) -> TokenStream {
    if !message.fields().any(|field| is_secret(&field)) {
        return quote!();
    }
    let path = set.message_path(message);
    let name = names::camel(message.name()).to_string();
    let fields =
        message.fields().filter(|field| descriptors::oneof_of(field).is_none()).map(|field| {
            let (name, member) = (field.name(), names::snake(field.name()));
            // The getter of an enum returns the value with its name.
            let is_enum = matches!(field.kind(), Kind::Enum(_)) && !field.is_list();
            match (is_secret(&field), is_enum) {
                (true, _) => quote!(.field(#name, &"[redacted]")),
                (false, true) => quote!(.field(#name, &self.#member())),
                (false, false) => quote!(.field(#name, &self.#member)),
            }
        });
    let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic()).map(|oneof| {
        let (name, member) = (oneof.name(), names::snake(oneof.name()));
        quote!(.field(#name, &self.#member))
    });
    quote! {
        impl ::std::fmt::Debug for #path {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#name)#(#fields)*#(#oneofs)*.finish()
            }
        }
    }
}
