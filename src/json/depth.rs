//! How deep JSON may nest.

/// The maximum nesting of JSON that is passed on without parsing. It is less than serde_json's limit of 127, so that
/// the next reader of our JSON, in which it is nested more deeply, can read it.
pub(crate) const MAX_DEPTH: usize = 100;

/// Describes JSON that is nested too deeply.
pub(crate) fn too_deep(most: usize) -> String {
    format!("JSON is nested deeper than {most} levels")
}

/// Refuses JSON text that is nested too deeply. The text must be valid JSON.
pub(crate) fn check_depth(json: &str) -> Result<(), String> {
    check_levels(json, MAX_DEPTH)
}

/// Refuses JSON text with more than `most` levels. The text must be valid JSON.
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
