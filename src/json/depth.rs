//! How deep JSON may nest.

/// How deep JSON may nest that is passed on unread. It matches what serde_json itself reads, so
/// that whoever reads our JSON next is not the first to meet its depth.
pub(crate) const MAX_DEPTH: usize = 100;

/// What is wrong with JSON that nests too deep.
pub(crate) fn too_deep(most: usize) -> String {
    format!("JSON is nested deeper than {most} levels")
}

/// Refuses JSON text that nests too deep. The text must be valid JSON.
pub(crate) fn check_depth(json: &str) -> Result<(), String> {
    check_levels(json, MAX_DEPTH)
}

/// Refuses JSON text that nests deeper than `most` levels. The text must be valid JSON.
pub(crate) fn check_levels(json: &str, most: usize) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => drop(bytes.next()),
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > most {
                    return Err(too_deep(most));
                }
            }
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
    }
    Ok(())
}
