//! Names and values as the conventions spell them.

use crate::rpc::MethodSpec;

/// The name of a method in full, as the conventions spell it.
pub(super) fn method(spec: &MethodSpec) -> &'static str {
    spec.path.strip_prefix('/').unwrap_or(spec.path)
}

/// A header's value as text, if it is text.
pub(super) fn text(value: Option<&http::HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}
