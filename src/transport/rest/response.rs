//! Error answers of ESET's gateway, and of whatever stands before it (`facts.md` 3, 9.6).

use serde::Deserialize;
use serde_json::value::RawValue;
use tonic::Code;
use tonic::metadata::MetadataMap;

use crate::error::{Error, ErrorKind};
use crate::transcode::{code_from_http, http_from_code};
use crate::transport::http::HttpResponse;
use crate::wkt::Any;

/// `google.rpc.Status`, read so leniently that one broken part does not hide the others.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body<'a> {
    code: Option<serde_json::Value>,
    message: Option<serde_json::Value>,
    #[serde(borrow)]
    details: Vec<&'a RawValue>,
}

/// The error that an answer other than a success is.
pub(crate) fn error_from(response: &HttpResponse) -> Error {
    let status = response.status.as_u16();
    let body: Option<Body<'_>> = serde_json::from_slice(&response.body).ok();
    let is_status = body.is_some();
    let body = body.unwrap_or_default();

    let told = body.code.as_ref().and_then(serde_json::Value::as_i64).and_then(plausible(status));
    let code = told.unwrap_or_else(|| match code_from_http(status) {
        // A status that is no error is no answer to this request either.
        Code::Ok => Code::Unknown,
        code => code,
    });
    let text = body.message.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    let message = match text {
        "" if response.status.is_redirection() => redirect(response),
        "" if is_status || response.body.is_empty() => format!("HTTP {}", response.status),
        "" => format!("HTTP {} with {}", response.status, excerpt(response)),
        text => text.to_owned(),
    };
    let details =
        body.details.iter().filter_map(|detail| serde_json::from_str::<Any>(detail.get()).ok());
    let error = Error::new(ErrorKind::Status, code, message)
        .with_details(details.collect())
        .with_http_status(response.status)
        .with_metadata(MetadataMap::from_headers(response.headers.clone()));
    if told.is_some() { error } else { error.with_inferred_code() }
}

/// The body's own code if it fits the status. ESET's gateway puts the HTTP status itself there.
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

/// The beginning of a body that is not JSON, on one line: a firewall says there what it did.
fn excerpt(response: &HttpResponse) -> String {
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(&response.body);
    let words: Vec<_> = text.split_whitespace().collect();
    let text: String = words.join(" ").chars().filter(|c| !c.is_control()).take(MOST).collect();
    format!(
        "{} instead of JSON: {text}",
        match response.media_type().as_str() {
            "" => "a body without a type",
            "text/html" => "HTML",
            _ => "another body",
        }
    )
}
