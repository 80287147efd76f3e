//! The compiled `.proto` files at run time, for code that handles messages of any type: the generic command
//! and the emulator. The client itself does not use it.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

use crate::proto::FILE_DESCRIPTOR_SET;

/// Returns all files, messages, enums and services of the crate.
pub fn pool() -> &'static DescriptorPool {
    // The build script wrote the set, and tests decode it.
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_default());
    &POOL
}

/// Whether requests must set the field (`google.api.field_behavior`, AIP-203).
pub fn is_required(field: &FieldDescriptor) -> bool {
    has_behavior(field, "REQUIRED")
}

/// Whether only the server sets the field; it ignores the value in a request.
pub fn is_output_only(field: &FieldDescriptor) -> bool {
    has_behavior(field, "OUTPUT_ONLY")
}

/// Whether the field is set when the resource is created and never changes.
pub fn is_immutable(field: &FieldDescriptor) -> bool {
    has_behavior(field, "IMMUTABLE")
}

fn has_behavior(field: &FieldDescriptor, behavior: &str) -> bool {
    // Most fields have no options, and reading them copies them.
    if field.field_descriptor_proto().options.is_none() {
        return false;
    }
    let pool = field.parent_pool();
    let Some(extension) = pool.get_extension_by_name("google.api.field_behavior") else {
        return false;
    };
    let Kind::Enum(behaviors) = extension.kind() else { return false };
    let number = behaviors.get_value_by_name(behavior).map(|value| value.number());
    let options = field.options();
    let values = options.get_extension(&extension);
    values.as_list().unwrap_or_default().iter().any(|value| value.as_enum_number() == number)
}

/// The paths of the fields that a table of such messages shows, in order of importance
/// (`eset_protect.v1.columns`). Empty where the `.proto` file leaves the choice to the caller.
pub fn columns(message: &MessageDescriptor) -> Vec<String> {
    let pool = message.parent_pool();
    let Some(extension) = pool.get_extension_by_name("eset_protect.v1.columns") else {
        return Vec::new();
    };
    let options = message.options();
    let values = options.get_extension(&extension);
    let values = values.as_list().unwrap_or_default();
    values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// Returns the first sentence of the comment above a declaration, without the full stop. `path` is the path
/// of the declaration in its file, such as [`FieldDescriptor::path`].
pub fn summary(file: &FileDescriptor, path: &[i32]) -> Option<String> {
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    let location = info.location.iter().find(|location| location.path == path)?;
    let words: Vec<_> = location.leading_comments().split_whitespace().collect();
    let comment = words.join(" ");
    let sentence = comment.split(". ").next().unwrap_or_default().trim_end_matches('.');
    (!sentence.is_empty()).then(|| sentence.to_owned())
}
