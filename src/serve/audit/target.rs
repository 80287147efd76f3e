//! What a call is about, read from its HTTP form. Nothing here is specific to an RPC.

use serde_json::Value;

use crate::error::is_uuid;
use crate::transcode::Encoded;

/// The maximum number of UUIDs of one call, and the maximum length of a path.
const MOST: usize = 100;
const LONGEST: usize = 512;

/// What a call is about.
#[derive(Clone, Debug, Default)]
pub(in crate::serve) struct Target {
    /// The HTTP method and the path.
    pub(super) path: String,
    pub(super) uuids: Vec<String>,
}

impl Target {
    pub(in crate::serve) fn of(request: &Encoded) -> Self {
        let path = request.path_and_query.split('?').next().unwrap_or_default();
        let path = format!("{} {path}", request.method).chars().take(LONGEST).collect();
        let mut uuids = Vec::new();
        let body = request.body.as_deref().unwrap_or_default();
        if let Ok(body) = serde_json::from_slice(body) {
            collect(&body, &mut uuids);
        }
        Self { path, uuids }
    }

    /// Returns the HTTP method and the path, such as `DELETE /v1/device_tasks/0b7f…`.
    pub(in crate::serve) fn path(&self) -> &str {
        &self.path
    }
}

/// Collects the UUIDs. Everything else may be a secret, such as the parameters of a script.
fn collect(value: &Value, uuids: &mut Vec<String>) {
    match value {
        Value::String(text)
            if uuids.len() < MOST && is_uuid(text.as_bytes()) && !uuids.contains(text) =>
        {
            uuids.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, uuids)),
        Value::Object(members) => members.values().for_each(|member| collect(member, uuids)),
        _ => {}
    }
}
