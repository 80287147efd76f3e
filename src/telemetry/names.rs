//! Names and values as the conventions define them.

use http::HeaderMap;

use crate::error::{Error, REQUEST_ID};
use crate::rpc::MethodSpec;

/// Returns the full name of a method as the conventions define it.
pub(super) fn method(spec: &MethodSpec) -> &'static str {
    spec.path.strip_prefix('/').unwrap_or(spec.path)
}

/// Returns ESET's id of a request, from the headers of the response or from the error.
pub(super) fn request_id<'a>(result: Result<&'a HeaderMap, &'a Error>) -> Option<&'a str> {
    result.map_or_else(Error::request_id, |headers| headers.get(REQUEST_ID)?.to_str().ok())
}
