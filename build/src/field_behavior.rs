//! Reads who sets a field (`google.api.field_behavior`, AIP-203).

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use quote::quote;

use crate::descriptors::{self, DescriptorSet};
use crate::names;
use crate::options::option;

/// Whether requests must set the field.
pub(crate) fn is_required(field: &FieldDescriptor) -> bool {
    has(field, "REQUIRED")
}

/// Whether only the server sets the field; it ignores the value in a request.
pub(crate) fn is_output_only(field: &FieldDescriptor) -> bool {
    has(field, "OUTPUT_ONLY")
}

fn has(field: &FieldDescriptor, behavior: &str) -> bool {
    let pool = field.parent_pool();
    let Some(behaviors) = option(pool, &field.options(), "google.api.field_behavior") else {
        return false;
    };
    let known = pool.get_enum_by_name("google.api.FieldBehavior");
    let number = known.and_then(|known| Some(known.get_value_by_name(behavior)?.number()));
    behaviors.as_list().unwrap_or_default().iter().any(|value| value.as_enum_number() == number)
}

/// Returns the statements that clear the output-only fields of a message, for a method of the
/// message. Empty if there are none.
pub(crate) fn clear_output_only(message: &MessageDescriptor, set: &DescriptorSet) -> TokenStream {
    message.fields().map(|field| clear_field(&field, set)).collect()
}

fn clear_field(field: &FieldDescriptor, set: &DescriptorSet) -> TokenStream {
    let oneof = descriptors::oneof_of(field);
    let holder = names::snake(oneof.as_ref().map_or(field.name(), |oneof| oneof.name()));
    let variant = oneof.map(|oneof| set.variant_path(&oneof, field));
    match (is_output_only(field), has_output(field), variant) {
        (true, _, None) => quote!(self.#holder = Default::default();),
        (true, _, Some(variant)) => quote! {
            if matches!(self.#holder, Some(#variant(_))) {
                self.#holder = None;
            }
        },
        (false, false, _) => quote!(),
        (false, true, Some(variant)) => quote! {
            if let Some(#variant(message)) = &mut self.#holder {
                message.clear_output_only();
            }
        },
        (false, true, None) if field.is_map() => quote! {
            self.#holder.values_mut().for_each(|message| message.clear_output_only());
        },
        // Works for both lists and `Option`s.
        (false, true, None) => quote! {
            self.#holder.iter_mut().for_each(|message| message.clear_output_only());
        },
    }
}

/// Whether a message inside the field has output-only fields.
fn has_output(field: &FieldDescriptor) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![field.clone()];
    while let Some(field) = left.pop() {
        let Some(message) = held(&field) else { continue };
        if seen.insert(message.full_name().to_owned()) {
            if message.fields().any(|field| is_output_only(&field)) {
                return true;
            }
            left.extend(message.fields());
        }
    }
    false
}

/// Returns the message type of a field, of its elements or of its map values.
fn held(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(entry) if entry.is_map_entry() => {
            entry.map_entry_value_field().kind().as_message().cloned()
        }
        Kind::Message(message) => Some(message),
        _ => None,
    }
}
