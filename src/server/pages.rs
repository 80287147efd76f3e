//! Pages for browsers.

use std::fmt::Write;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};

use super::RestFront;

/// What the start page may do: call this server.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// What the start page says of the server, in HTML.
#[derive(Clone, Copy)]
pub(crate) struct About {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
}

/// Returns the start page, from which calls can be made, or the OpenAPI `document`; `None` for other paths.
pub(crate) fn answer<B>(
    request: &Request<B>,
    about: About,
    rest: &RestFront,
    document: impl FnOnce() -> Bytes,
) -> Option<Response<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let (content_type, body) = match request.uri().path() {
        "/" => ("text/html; charset=utf-8", start(about, rest).into()),
        "/start.js" => {
            ("text/javascript; charset=utf-8", Bytes::from_static(include_bytes!("pages/start.js")))
        }
        "/openapi.json" => ("application/json", document()),
        _ => return None,
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Some(response)
}

/// Lists the RPCs of a server; the script adds a form to each. Nothing on the page comes from callers.
fn start(about: About, rest: &RestFront) -> String {
    let mut rpcs = String::new();
    for (spec, http) in rest.bindings() {
        let (method, path) = (http.method, http.path);
        // Writing to a string does not fail.
        let _ = writeln!(
            rpcs,
            "<details data-method=\"{method}\" data-path=\"{path}\"><summary><b>{method}</b> \
             <code>{path}</code> <span title=\"{}\">{}</span></summary></details>",
            spec.service, spec.method
        );
    }
    let page = include_str!("pages/start.html");
    page.replace("{title}", about.title).replace("{text}", about.text).replace("{rpcs}", &rpcs)
}
