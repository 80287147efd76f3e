//! Pages for browsers.

use std::fmt::Write;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};

use crate::rpc::MethodSpec;
use crate::transcode::OPENAPI;

/// Returns the start page or the OpenAPI document; `None` for other paths.
pub(super) fn answer(
    request: &Request<Bytes>,
    specs: impl Iterator<Item = &'static MethodSpec>,
) -> Option<Response<Bytes>> {
    if request.method() != Method::GET {
        return None;
    }
    let (content_type, body) = match request.uri().path() {
        "/" => ("text/html; charset=utf-8", start(specs).into()),
        "/openapi.json" => ("application/json", Bytes::from(OPENAPI)),
        _ => return None,
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Some(response)
}

/// Lists all RPCs. Those without variables in their paths are links. Nothing on the page comes from callers.
fn start(specs: impl Iterator<Item = &'static MethodSpec>) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>ESET PROTECT \
         emulator</title><h1>ESET PROTECT emulator</h1><p>A stand-in for ESET's services, over gRPC \
         and REST on this port. <a href=\"/openapi.json\">OpenAPI</a>.</p><table>",
    );
    for spec in specs {
        for http in spec.http {
            let path = http.path;
            let path = if http.method == "GET" && !path.contains('{') {
                format!("<a href=\"{path}\">{path}</a>")
            } else {
                path.to_owned()
            };
            // Writing to a string does not fail.
            let _ = write!(
                page,
                "<tr><td>{}<td><code>{} {path}</code><td>{}",
                spec.method, http.method, spec.service
            );
        }
    }
    page.push_str("</table></html>\n");
    page
}
