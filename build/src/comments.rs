//! Reads the comments of the `.proto` files.

use prost_reflect::FileDescriptor;

/// Returns the comment above the declaration at this path in its file.
pub(crate) fn find(file: &FileDescriptor, place: &[i32]) -> Option<String> {
    let proto = file.file_descriptor_proto();
    let location = proto
        .source_code_info
        .iter()
        .flat_map(|info| &info.location)
        .find(|location| location.path == place)?;
    let lines: Vec<_> = location.leading_comments.as_deref()?.lines().map(str::trim).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Returns the comment, or the name of the declaration if it has none.
pub(crate) fn or_name(file: &FileDescriptor, place: &[i32], name: &str) -> String {
    find(file, place).unwrap_or_else(|| format!("`{name}`."))
}
