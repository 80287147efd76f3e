//! Errors as ESET's gateway writes them (`facts.md` 3).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use prost::Message;
use serde::Serialize;
use serde_json::value::RawValue;
use tonic::Status;

use crate::proto::google::rpc::Status as Rich;
use crate::protojson::Writer;
use crate::server::metadata;
use crate::wkt::{Any, TypeRegistry};

#[derive(Serialize)]
struct Body<'a> {
    /// The HTTP status, where the documentation has a `google.rpc.Code`.
    code: u16,
    message: &'a str,
    details: Vec<Box<RawValue>>,
}

/// The error of a call.
pub(super) fn of_status(
    http: StatusCode,
    status: &Status,
    registry: Option<&TypeRegistry>,
) -> Response<Bytes> {
    let mut writer = Writer::new();
    if let Some(registry) = registry {
        writer = writer.registry(registry.clone());
    }
    // What is not a status has no details that anyone could read.
    let details = Rich::decode(status.details()).unwrap_or_default().details;
    let details = details.iter().filter_map(|any| detail(any, &writer)).collect();
    let mut response = respond(http, status.message(), details);
    for (name, value) in &metadata::to_headers(status.metadata().clone()) {
        response.headers_mut().append(name, value.clone());
    }
    response
}

/// An error without a call.
pub(super) fn of_text(http: StatusCode, message: &str) -> Response<Bytes> {
    respond(http, message, Vec::new())
}

/// A detail in JSON. One that nobody can write must not take the rest with it.
fn detail(any: &Any, writer: &Writer) -> Option<Box<RawValue>> {
    #[derive(Serialize)]
    struct Unwritable<'a> {
        #[serde(rename = "@type")]
        type_url: &'a str,
        value: String,
    }
    let known = writer.write(any).ok().and_then(|json| serde_json::from_slice(&json).ok());
    known.or_else(|| {
        let value = base64_simd::STANDARD.encode_to_string(&any.value);
        serde_json::value::to_raw_value(&Unwritable { type_url: &any.type_url, value }).ok()
    })
}

fn respond(http: StatusCode, message: &str, details: Vec<Box<RawValue>>) -> Response<Bytes> {
    let body = Body { code: http.as_u16(), message, details };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
