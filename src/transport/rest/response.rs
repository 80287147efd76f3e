//! Parses error responses of ESET's gateway and of proxies in front of it ([facts](crate::facts#errors)).

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use tonic::Code;

use crate::error::{Error, ErrorKind};
use crate::transcode::{code_from_http, http_from_code};
use crate::transport::http::HttpResponse;
use crate::wkt::Any;

/// A `google.rpc.Status`, or the response of a token endpoint (RFC 6749, 5.2), parsed so leniently that an
/// invalid part does not hide the others.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body<'a> {
    code: Option<Value>,
    message: Option<Value>,
    #[serde(borrow)]
    details: Option<&'a RawValue>,
    error: Option<Value>,
    error_description: Option<Value>,
}

impl Body<'_> {
    fn text(&self) -> &str {
        let texts = [&self.message, &self.error_description, &self.error];
        let mut texts = texts.into_iter().filter_map(|text| text.as_ref()?.as_str());
        texts.find(|text| !text.trim().is_empty()).unwrap_or_default()
    }

    /// Returns the details that are valid `Any`s, even of unknown types.
    fn details(&self) -> Vec<Any> {
        let list: Option<Vec<&RawValue>> =
            self.details.and_then(|details| serde_json::from_str(details.get()).ok());
        let list = list.unwrap_or_default();
        list.into_iter().filter_map(|detail| serde_json::from_str(detail.get()).ok()).collect()
    }
}

/// The error that a response other than a success is.
pub(crate) fn error_from(response: &HttpResponse) -> Error {
    let status = response.status.as_u16();
    let body: Option<Body<'_>> = serde_json::from_slice(&response.body).ok();
    let is_json = serde_json::from_slice::<IgnoredAny>(&response.body).is_ok();
    let body = body.unwrap_or_default();

    let told = body.code.as_ref().and_then(Value::as_i64).and_then(plausible(status));
    let code = told.unwrap_or_else(|| match code_from_http(status) {
        // A status that is not an error does not answer this request either.
        Code::Ok => Code::Unknown,
        code => code,
    });
    let message = match body.text() {
        "" if response.status.is_redirection() => redirect(response),
        "" if is_json || response.body.is_empty() => format!("HTTP {}", response.status),
        "" => format!("HTTP {} with {}", response.status, excerpt(response)),
        text => text.to_owned(),
    };
    let error = Error::new(ErrorKind::Status, code, message)
        .with_details(body.details())
        .with_answer(response.status, &response.headers);
    if told.is_some() { error } else { error.with_inferred_code() }
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

/// Returns the start of a body that is not JSON, on one line: firewalls explain there why they refused.
fn excerpt(response: &HttpResponse) -> String {
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(&response.body);
    let words: Vec<_> = text.split_whitespace().collect();
    let text: String = words.join(" ").chars().filter(|c| !c.is_control()).take(MOST).collect();
    format!(
        "{} instead of JSON: {text}",
        match response.media_type().to_ascii_lowercase().as_slice() {
            b"" => "a body without a type",
            b"text/html" => "HTML",
            b"application/json" => "something broken",
            _ => "another body",
        }
    )
}
