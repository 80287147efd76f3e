//! What a call is about, read from its HTTP form. Nothing here is specific to an RPC.

use serde::Serialize;

use crate::error::is_uuid;
use crate::transcode::Encoded;

/// What stands for the path of a request that has no HTTP form.
const UNREADABLE: &str = "unreadable";

/// The maximum number of UUIDs of one call, and the maximum length of a path.
const MOST: usize = 100;
const LONGEST: usize = 512;

/// What a call is about.
#[derive(Debug, Default, Serialize)]
pub(in crate::serve) struct Target {
    /// The HTTP method and the path, such as `DELETE /v1/device_tasks/0b7f…`.
    #[serde(rename = "target", skip_serializing_if = "String::is_empty")]
    pub(in crate::serve) path: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    uuids: Vec<String>,
}

impl Target {
    pub(in crate::serve) fn of(request: &Encoded) -> Self {
        let path = request.path_and_query.split('?').next().unwrap_or_default();
        let path = format!("{} {path}", request.method).chars().take(LONGEST).collect();
        Self { path, uuids: uuids(request.body.as_deref().unwrap_or_default()) }
    }

    /// What can be said of an encoded message without an HTTP form, which a gRPC upstream may understand all the same.
    pub(in crate::serve) fn unreadable(message: &[u8]) -> Self {
        // A text follows its length, which may be longer than it must be, and ends with 0 then.
        let lengths = [36, 0];
        let texts = message.windows(37).filter_map(|window| window.split_first());
        let texts = texts.filter(|(length, text)| lengths.contains(*length) && is_uuid(text));
        Self { path: UNREADABLE.to_owned(), uuids: first(texts.map(|(_, text)| text)) }
    }
}

/// Returns the texts in JSON that are UUIDs. Everything else may be a secret, such as the parameters of a script.
fn uuids(json: &[u8]) -> Vec<String> {
    // A UUID stands between quotes as it is. An escaped quote is a part of a longer text.
    let mut is_escaped = false;
    first(json.split(|byte| *byte == b'"').filter(|text| {
        let follows_escape = std::mem::replace(&mut is_escaped, text.ends_with(b"\\"));
        !follows_escape && is_uuid(text)
    }))
}

/// Returns the first of these texts, each once.
fn first<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        let text = String::from_utf8_lossy(text).into_owned();
        if !found.contains(&text) {
            found.push(text);
        }
        if found.len() == MOST {
            break;
        }
    }
    found
}
