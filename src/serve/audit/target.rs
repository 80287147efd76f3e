//! What a call is about, read from its HTTP form. Nothing here is specific to an RPC.

use crate::error::is_uuid;
use crate::transcode::Encoded;

/// The maximum number of UUIDs of one call, and the maximum length of a path.
const MOST: usize = 100;
const LONGEST: usize = 512;

/// What a call is about.
#[derive(Clone, Debug, Default)]
pub(in crate::serve) struct Target {
    /// The HTTP method and the path, such as `DELETE /v1/device_tasks/0b7f…`.
    pub(in crate::serve) path: String,
    pub(super) uuids: Vec<String>,
}

impl Target {
    pub(in crate::serve) fn of(request: &Encoded) -> Self {
        let path = request.path_and_query.split('?').next().unwrap_or_default();
        let path = format!("{} {path}", request.method).chars().take(LONGEST).collect();
        Self { path, uuids: uuids(request.body.as_deref().unwrap_or_default()) }
    }
}

/// Returns the texts in JSON that are UUIDs. Everything else may be a secret, such as the parameters of a script.
fn uuids(json: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    // A UUID stands between quotes as it is. An escaped quote is a part of a longer text.
    let mut is_escaped = false;
    for text in json.split(|byte| *byte == b'"') {
        if !is_escaped && found.len() < MOST && is_uuid(text) {
            let text = String::from_utf8_lossy(text).into_owned();
            if !found.contains(&text) {
                found.push(text);
            }
        }
        is_escaped = text.ends_with(b"\\");
    }
    found
}
