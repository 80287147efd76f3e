//! Parses error responses of ESET's gateway and of proxies in front of it ([facts](crate::facts#errors)).

use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use tonic::Code;

use super::members::Members;
use crate::error::{Error, ErrorKind};
use crate::transcode::{code_from_http, http_from_code, read_any};
use crate::transport::Messages;
use crate::transport::http::HttpResponse;
use crate::wkt::{Any, TypeRegistry};

/// A `google.rpc.Status`, or the response of a token endpoint (RFC 6749, 5.2).
#[derive(Default)]
struct Body<'a> {
    members: Members<'a>,
    /// The members of `error`, in the form of Google's APIs.
    inner: Members<'a>,
}

impl<'a> Body<'a> {
    fn read(text: &'a str) -> Self {
        let members = Members::read(text).unwrap_or_default();
        let inner = members.json("error").and_then(Members::read).unwrap_or_default();
        Self { members, inner }
    }

    fn value(&self, name: &str) -> Option<Value> {
        self.members.value(name).or_else(|| self.inner.value(name))
    }

    /// Whether the body has the members of an error, and not merely such as `"code": 200, "message": "done"`.
    fn is_error(&self) -> bool {
        let is_failure = |code: Value| match code.as_i64() {
            Some(number) => number != 0 && !(200..300).contains(&number),
            None => code.is_string(),
        };
        let is_told = |error: &str| !matches!(error, "\"\"" | "false" | "0" | "{}" | "[]");
        self.members.json("error").is_some_and(is_told)
            || self.value("message").is_some() && self.value("code").is_some_and(is_failure)
    }

    fn code(&self) -> Option<i64> {
        self.value("code")?.as_i64()
    }

    fn text(&self) -> String {
        let texts = ["message", "error_description", "error"].into_iter();
        let mut texts = texts.filter_map(|name| Some(self.value(name)?.as_str()?.to_owned()));
        texts.find(|text| !text.trim().is_empty()).unwrap_or_default()
    }

    /// Returns the details that are valid `Any`s, even of unknown types.
    fn details(&self, registry: &TypeRegistry) -> Vec<Any> {
        let json = self.members.json("details").or_else(|| self.inner.json("details"));
        let list: Option<Vec<&RawValue>> = json.and_then(|json| serde_json::from_str(json).ok());
        let list = list.unwrap_or_default();
        registry.scope_of_wire(|| list.iter().filter_map(|json| read_any(json.get())).collect())
    }
}

/// The error that a response other than a success is.
pub(crate) fn error_from(response: &HttpResponse, registry: &TypeRegistry) -> Error {
    let status = response.status.as_u16();
    let json = response.text();
    let body = Body::read(&json);
    let is_json = serde_json::from_str::<IgnoredAny>(&json).is_ok();
    let is_empty = matches!(json.trim_ascii(), "" | "{}" | "[]" | "null" | "\"\"");

    let told = body.code().and_then(plausible(status));
    let message = match &*body.text() {
        "" if matches!(status, 300..=303 | 307 | 308) => redirect(response),
        // A response of another status may be a success with secrets.
        "" if is_empty || is_json && status < 400 => format!("HTTP {}", response.status),
        "" if is_json => format!("HTTP {} with JSON: {}", response.status, excerpt(&json)),
        "" => format!(
            "HTTP {} with {} instead of JSON: {}",
            response.status,
            kind(response),
            excerpt(&json)
        ),
        text => text.to_owned(),
    };
    let error = error_of_body(response, &body, registry, message, told, code_from_http(status));
    if is_empty || is_json { error } else { error.foreign() }
}

/// The error in a response that calls itself a success, as some proxies and session layers send it: JSON without any
/// of the members that the response has, but with those of an error. Members that are merely new are none.
pub(super) fn error_in_success(
    response: &HttpResponse,
    json: &[u8],
    messages: &dyn Messages,
    registry: &TypeRegistry,
) -> Option<Error> {
    // Hardly any response gets past its first member.
    if messages.has_member(first_member(json)?) {
        return None;
    }
    let json = response.text();
    let members = Members::read(&json)?;
    let has_member = members.names().any(|name| messages.has_member(name));
    if has_member { None } else { error_told(response, registry) }
}

/// The error that a success tells by the members of its body.
pub(crate) fn error_told(response: &HttpResponse, registry: &TypeRegistry) -> Option<Error> {
    let json = response.text();
    let body = Body::read(&json);
    if !body.is_error() {
        return None;
    }
    let number = body.code().unwrap_or_default();
    let told =
        i32::try_from(number).ok().filter(|number| (1..=16).contains(number)).map(Code::from);
    let inferred = u16::try_from(number).map_or(Code::Unknown, code_from_http);
    let message = match &*body.text() {
        "" => format!("HTTP {} with an error in its body", response.status),
        text => text.to_owned(),
    };
    Some(error_of_body(response, &body, registry, message, told, inferred))
}

/// The error with the code that a body tells, or else one that is inferred. What is no error does not answer the request
/// either.
fn error_of_body(
    response: &HttpResponse,
    body: &Body<'_>,
    registry: &TypeRegistry,
    message: String,
    told: Option<Code>,
    inferred: Code,
) -> Error {
    let inferred = if inferred == Code::Ok { Code::Unknown } else { inferred };
    let error = Error::new(ErrorKind::Status, told.unwrap_or(inferred), message)
        .with_details(body.details(registry))
        .with_answer(response.status, &response.headers);
    if told.is_some() { error } else { error.with_inferred_code() }
}

/// Returns the name of the first member of an object, as it is written.
fn first_member(json: &[u8]) -> Option<&str> {
    let members = json.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    let name = members.strip_prefix(b"\"")?.split(|byte| *byte == b'"').next()?;
    str::from_utf8(name).ok()
}

/// Returns the body's own code if it matches the status. ESET's gateway puts the HTTP status there.
fn plausible(status: u16) -> impl Fn(i64) -> Option<Code> {
    move |number| {
        let code = i32::try_from(number).ok().filter(|n| (1..=16).contains(n)).map(Code::from)?;
        let fits = http_from_code(code) == status || code_from_http(status) == code;
        fits.then_some(code)
    }
}

fn redirect(response: &HttpResponse) -> String {
    format!("HTTP {}: redirects are not followed, credentials would go with them", response.status)
}

/// Returns what a body that is not JSON is.
fn kind(response: &HttpResponse) -> &'static str {
    match response.media_type().to_ascii_lowercase().as_slice() {
        b"" => "a body without a type",
        b"text/html" => "HTML",
        b"text/plain" => "text",
        b"application/json" => "something broken",
        _ => "another body",
    }
}

/// Returns the start of a body of an unknown form, on one line: firewalls explain there why they refused.
fn excerpt(text: &str) -> String {
    const MOST: usize = 200;
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(MOST).collect()
}
