//! One of many calls.

use serde_json::Value;

use crate::method::Method;
use crate::request::Request;

/// One of many calls.
#[derive(Debug)]
pub struct Item {
    /// The name for users: a UUID, or the place of the request with the name of its content.
    pub name: String,
    /// The line that requests it again.
    pub line: String,
    /// The request in JSON.
    pub request: String,
}

impl Item {
    /// Creates the item for a request at a place in the input.
    pub fn at(place: String, method: &Method, request: Request) -> Self {
        let value: Value = serde_json::from_str(&request.json).unwrap_or_default();
        let about = method.member().map_or(&value, |member| &value[member.json_name()]);
        let name = match about["displayName"].as_str() {
            Some(name) if !name.is_empty() => format!("{place}, {name:?}"),
            _ => place,
        };
        Self { name, line: request.json.clone(), request: request.json }
    }
}
