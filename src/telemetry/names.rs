//! Names and values as the conventions define them.

use crate::rpc::MethodSpec;

/// Returns the full name of a method as the conventions define it.
pub(super) fn method(spec: &MethodSpec) -> &'static str {
    spec.path.strip_prefix('/').unwrap_or(spec.path)
}

/// Returns the value of a header if it is text.
pub(super) fn text(value: Option<&http::HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}
