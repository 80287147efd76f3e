//! Reads the comments of the `.proto` files.

use prost_reflect::prost::{DecodeError, Message};
use prost_reflect::prost_types::FileDescriptorSet;
use prost_reflect::{DynamicMessage, FileDescriptor, Value};

use crate::descriptors::DescriptorSet;
use crate::doc;

/// Returns the encoded set without the places in the `.proto` files of what has no comment: they are most of it, and
/// programs decode it when they start.
pub(crate) fn only(set: &DescriptorSet) -> Result<Vec<u8>, DecodeError> {
    let Some(message) = set.pool.get_message_by_name("google.protobuf.FileDescriptorSet") else {
        return Ok(set.encoded.clone());
    };
    // Unlike prost's types, it keeps extensions.
    let mut files = DynamicMessage::decode(message, set.encoded.as_slice())?;
    let file = files.get_field_by_name_mut("file").and_then(Value::as_list_mut);
    for file in file.into_iter().flatten().filter_map(Value::as_message_mut) {
        let info = file.get_field_by_name_mut("source_code_info").and_then(Value::as_message_mut);
        let places = info.and_then(|info| info.get_field_by_name_mut("location"));
        if let Some(places) = places.and_then(Value::as_list_mut) {
            places.retain(|place| {
                let comment =
                    |name: &&str| place.as_message().is_some_and(|it| it.has_field_by_name(name));
                ["leading_comments", "trailing_comments"].iter().any(comment)
            });
        }
    }
    Ok(files.encode_to_vec())
}

/// Returns the comment above the declaration at this path in its file.
pub(crate) fn find(file: &FileDescriptor, place: &[i32]) -> Option<String> {
    let proto = file.file_descriptor_proto();
    let location = proto
        .source_code_info
        .iter()
        .flat_map(|info| &info.location)
        .find(|location| location.path == place)?;
    let text = without_margin(location.leading_comments.as_deref()?);
    (!text.is_empty()).then_some(text)
}

/// Returns the comment as documentation, or the name of the declaration if it has none.
pub(crate) fn or_name(file: &FileDescriptor, place: &[i32], name: &str) -> String {
    find(file, place).map_or_else(|| format!("`{name}`."), |comment| doc::without_tests(&comment))
}

/// Turns all comments into documentation.
pub(crate) fn document(files: &mut FileDescriptorSet) {
    let infos = files.file.iter_mut().filter_map(|file| file.source_code_info.as_mut());
    for place in infos.flat_map(|info| &mut info.location) {
        for comment in [&mut place.leading_comments, &mut place.trailing_comments] {
            *comment = comment.take().map(|text| doc::without_tests(&without_margin(&text)));
        }
    }
}

/// Removes the spaces before all lines alike, and those behind each.
fn without_margin(comment: &str) -> String {
    let lines = comment.lines().map(str::trim_end);
    let indents = lines.clone().filter(|line| !line.is_empty());
    let margin = indents.map(|line| line.len() - line.trim_start().len()).min().unwrap_or_default();
    let lines: Vec<_> = lines.map(|line| line.get(margin..).unwrap_or_default()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
