//! The compiled `.proto` files at run time, for code that handles messages of any type: the generic command
//! and the emulator. The client itself does not use it.

mod expression;
mod members;
mod order;

use std::sync::LazyLock;

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, FileDescriptor, MessageDescriptor,
    MethodDescriptor, Value,
};

pub use expression::Expression;
pub use members::Path;
pub use order::Order;

use crate::filter::Language;
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
    let Some(behaviors) = option_of(field, "google.api.field_behavior") else { return false };
    let known = field.parent_pool().get_enum_by_name("google.api.FieldBehavior");
    let number = known.and_then(|known| Some(known.get_value_by_name(behavior)?.number()));
    behaviors.as_list().unwrap_or_default().iter().any(|value| value.as_enum_number() == number)
}

/// Returns the paths of the fields that a table of such messages shows, in order of importance
/// (`eset_protect.v1.columns`). Empty where the `.proto` file leaves the choice to the caller.
pub fn columns(message: &MessageDescriptor) -> Vec<String> {
    texts(option(message.parent_pool(), &message.options(), "eset_protect.v1.columns").as_ref())
}

/// Returns the packages in whose `Any`s the messages of a file are (`eset_protect.v1.packed_in`).
pub fn packed_in(file: &FileDescriptor) -> Vec<String> {
    texts(option(file.parent_pool(), &file.options(), "eset_protect.v1.packed_in").as_ref())
}

/// Returns the name of the field that identifies a resource (`name_field` of `google.api.resource`), if the
/// `.proto` file says it.
pub fn name_field(resource: &MessageDescriptor) -> Option<String> {
    let annotation = option(resource.parent_pool(), &resource.options(), "google.api.resource")?;
    let name = annotation.as_message()?.get_field_by_name("name_field")?.into_owned();
    name.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// Returns what a custom method changes in its resource (`eset_protect.v1.sets`).
pub(crate) fn sets(method: &MethodDescriptor) -> Vec<String> {
    texts(option(method.parent_pool(), &method.options(), "eset_protect.v1.sets").as_ref())
}

/// Whether a custom method removes the resources that its request names (`eset_protect.v1.removes`).
pub fn removes(method: &MethodDescriptor) -> bool {
    is_set(method, "eset_protect.v1.removes")
}

/// Whether a method removes, with the resource that its request names, every resource below it
/// (`eset_protect.v1.removes_below`).
pub fn removes_below(method: &MethodDescriptor) -> bool {
    is_set(method, "eset_protect.v1.removes_below")
}

fn is_set(method: &MethodDescriptor, name: &str) -> bool {
    let set = option(method.parent_pool(), &method.options(), name);
    set.as_ref().and_then(Value::as_bool).unwrap_or_default()
}

/// Returns what a field of a list's request filters by (`eset_protect.v1.filters_by`); none where it filters by
/// the field of its name.
pub(crate) fn filters_by(field: &FieldDescriptor) -> Vec<String> {
    texts(option_of(field, "eset_protect.v1.filters_by").as_ref())
}

/// Returns the language of the expression that a field of a list's request is (`eset_protect.v1.expression`).
pub fn language(field: &FieldDescriptor) -> Option<Language> {
    match option_of(field, "eset_protect.v1.expression")?.as_str() {
        Some("cel") => Some(Language::Cel),
        Some("words") => Some(Language::Words),
        _ => None,
    }
}

/// Whether a field of a resource cannot be changed as the resource is (`eset_protect.v1.fixed_if`).
pub(crate) fn is_fixed(resource: &DynamicMessage, field: &FieldDescriptor) -> bool {
    let conditions = texts(option_of(field, "eset_protect.v1.fixed_if").as_ref());
    let is_true = |name: &String| {
        resource.get_field_by_name(name).is_some_and(|it| it.as_bool() == Some(true))
    };
    conditions.iter().any(is_true)
}

/// Returns from where in an XML field of the same message the server takes a field (`eset_protect.v1.from_xml`).
pub(crate) fn from_xml(field: &FieldDescriptor) -> Option<String> {
    option_of(field, "eset_protect.v1.from_xml")?.as_str().map(str::to_owned)
}

/// Returns the value of an option of a field. Most fields have none, and reading them copies them.
fn option_of(field: &FieldDescriptor, name: &str) -> Option<Value> {
    field.field_descriptor_proto().options.as_ref()?;
    option(field.parent_pool(), &field.options(), name)
}

/// Returns the value of an option that an extension adds; `None` if it is not set, or no file declares it.
fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name)?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

fn texts(values: Option<&Value>) -> Vec<String> {
    let values = values.and_then(Value::as_list).unwrap_or_default();
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
