//! Pages for browsers.

use std::fmt::Write;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};

use crate::rpc::MethodSpec;

/// What the start page says of the server, in HTML.
#[derive(Clone, Copy)]
pub(crate) struct About {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
}

/// Returns the start page or the OpenAPI `document`; `None` for other paths.
pub(crate) fn answer(
    request: &Request<Bytes>,
    about: About,
    specs: impl Iterator<Item = &'static MethodSpec>,
    document: impl FnOnce() -> Bytes,
) -> Option<Response<Bytes>> {
    if request.method() != Method::GET {
        return None;
    }
    let (content_type, body) = match request.uri().path() {
        "/" => ("text/html; charset=utf-8", start(about, specs).into()),
        "/openapi.json" => ("application/json", document()),
        _ => return None,
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Some(response)
}

/// Lists all RPCs. Those without variables in their paths are links. Nothing on the page comes from callers.
fn start(about: About, specs: impl Iterator<Item = &'static MethodSpec>) -> String {
    let About { title, text } = about;
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{title}</h1><p>{text} <a href=\"/openapi.json\">OpenAPI</a>.</p><table>",
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
