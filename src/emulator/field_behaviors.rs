//! What the `.proto` files say about fields (`google.api.field_behavior`, AIP-203), read once.

use std::collections::HashSet;

use prost_reflect::{DescriptorPool, FieldDescriptor};

use crate::descriptors;

/// The full names of the fields with each behavior. A descriptor copies all options of a field whenever one is
/// asked for, which is too slow for every field of every request.
#[derive(Default)]
pub(crate) struct FieldBehaviors {
    required: HashSet<String>,
    output_only: HashSet<String>,
    immutable: HashSet<String>,
}

impl FieldBehaviors {
    /// Adds the fields of all messages.
    pub(crate) fn add(&mut self, pool: &DescriptorPool) {
        for message in pool.all_messages() {
            for field in message.fields() {
                for (names, has_behavior) in [
                    (&mut self.required, descriptors::is_required(&field)),
                    (&mut self.output_only, descriptors::is_output_only(&field)),
                    (&mut self.immutable, descriptors::is_immutable(&field)),
                ] {
                    if has_behavior {
                        names.insert(field.full_name().to_owned());
                    }
                }
            }
        }
    }

    /// A request must set the field.
    pub(crate) fn is_required(&self, field: &FieldDescriptor) -> bool {
        self.required.contains(field.full_name())
    }

    /// Only the server sets the field.
    pub(crate) fn is_output_only(&self, field: &FieldDescriptor) -> bool {
        self.output_only.contains(field.full_name())
    }

    /// The field never changes after the resource was created.
    pub(crate) fn is_immutable(&self, field: &FieldDescriptor) -> bool {
        self.immutable.contains(field.full_name())
    }
}
