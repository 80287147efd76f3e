//! Errors as ESET's gateway writes them ([facts](crate::facts#errors)).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use prost::Message;
use serde::Serialize;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::proto::google::rpc::Status as Rich;
use crate::server::metadata;
use crate::wkt::{Any, TypeRegistry};

#[derive(Serialize)]
struct Body<'a> {
    /// The HTTP status, where the documentation has a `google.rpc.Code`.
    code: u16,
    message: &'a str,
    details: &'a [Any],
}

/// The error of a call.
pub(super) fn of_status(
    http: StatusCode,
    status: &Status,
    registry: &TypeRegistry,
) -> Response<Bytes> {
    // What is not a status has no details that anyone could read.
    let details = Rich::decode(status.details()).unwrap_or_default().details;
    let metadata = status.metadata().clone();
    registry.scope_of_wire(|| respond(http, status.message(), &details, metadata))
}

/// An error without details.
pub(super) fn error(http: StatusCode, message: &str) -> Response<Bytes> {
    respond(http, message, &[], MetadataMap::new())
}

fn respond(
    http: StatusCode,
    message: &str,
    details: &[Any],
    metadata: MetadataMap,
) -> Response<Bytes> {
    let body = Body { code: http.as_u16(), message, details };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http;
    *response.headers_mut() = metadata::to_headers(metadata);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
