//! Parses faults from text: the header `x-emulator-fault`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use tonic::Code;

use super::{Fault, Kind, Place, details};

/// The maximum delay.
const MAX_DELAY: Duration = Duration::from_secs(600);

/// The text is not a [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFaultError(String);

impl fmt::Display for ParseFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x-emulator-fault: {}", self.0)
    }
}

impl std::error::Error for ParseFaultError {}

/// The options after the first part.
#[derive(Default)]
struct Options<'a> {
    message: Option<&'a str>,
    body: Option<&'a str>,
    retry_after: Option<u64>,
    after_the_call: bool,
}

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, ParseFaultError> {
        let mut parts = text.split(';').map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim(), value.trim())
        });
        let (name, value) = parts.next().unwrap_or_default();
        let mut options = Options::default();
        for (name, value) in parts {
            match name {
                "message" => options.message = Some(value),
                "body" => options.body = Some(value),
                "retry-after" => options.retry_after = Some(number(value)?),
                "after-the-call" => options.after_the_call = true,
                _ => return Err(ParseFaultError(format!("there is no option `{name}`"))),
            }
        }
        let mut fault = fault(name, value, &options)?;
        fault.after_the_call = options.after_the_call;
        Ok(fault)
    }
}

fn fault(name: &str, value: &str, options: &Options<'_>) -> Result<Fault, ParseFaultError> {
    let after = options.retry_after.map(Duration::from_secs);
    Ok(match name {
        "code" => {
            let status = details::status(code(value)?, options.message, after);
            Fault::new(Kind::Status(Box::new(status)))
        }
        "http" => http(value, options)?,
        "rate-limit" if value.is_empty() => Fault::too_many_requests(after),
        "rate-limit" => Fault::too_many_requests(Some(Duration::from_secs(number(value)?))),
        "redirect" => {
            let location = HeaderValue::try_from(value)
                .map_err(|_| ParseFaultError("redirect: not an address".to_owned()))?;
            Fault::redirect(location)
        }
        "delay" => Fault::delay(Duration::from_millis(number(value)?).min(MAX_DELAY)),
        "pending" => Fault::pending(number(value)?.try_into().unwrap_or(u32::MAX)),
        "drop" => Fault::new(Kind::Break(match value {
            "before-headers" => Place::BeforeHeaders,
            "after-headers" => Place::AfterHeaders,
            "mid-body" => Place::MidBody,
            _ => return Err(ParseFaultError(format!("drop: there is no place `{value}`"))),
        })),
        _ => return Err(ParseFaultError(format!("there is no fault `{name}`"))),
    })
}

fn http(value: &str, options: &Options<'_>) -> Result<Fault, ParseFaultError> {
    let wrong = || ParseFaultError(format!("http: `{value}` is no status from 200 to 599"));
    let status: u16 = value.parse().map_err(|_| wrong())?;
    let status = StatusCode::from_u16(status).ok().filter(|_| (200..=599).contains(&status));
    let status = status.ok_or_else(wrong)?;
    let json = "application/json";
    let fault = match options.body.unwrap_or("json") {
        "json" => {
            let message = options.message.unwrap_or("asked for");
            let body = serde_json::json!({
                "code": status.as_u16(), "message": message, "details": [],
            });
            Fault::http(status, json, body.to_string())
        }
        "html" => {
            const PAGE: &str = "<html><head><title>Request Rejected</title></head><body>The \
                                requested URL was rejected. Support ID: 1</body></html>";
            Fault::http(status, "text/html", PAGE)
        }
        "empty" => Fault::http(status, "", ""),
        "truncated" => Fault::http(status, json, r#"{"code":5,"message":"#),
        "binary" => Fault::http(status, json, &[0xff, 0xfe, 0x00, 0x80][..]),
        other => return Err(ParseFaultError(format!("body: there is no body `{other}`"))),
    };
    Ok(match options.retry_after {
        Some(seconds) => fault.header(header::RETRY_AFTER, seconds.into()),
        None => fault,
    })
}

fn number(text: &str) -> Result<u64, ParseFaultError> {
    text.parse().map_err(|_| ParseFaultError(format!("`{text}` is not a whole number")))
}

/// Parses a code by name or number.
fn code(text: &str) -> Result<Code, ParseFaultError> {
    let codes = (1..=16).map(Code::from);
    let by_name = |code: &Code| crate::code_name(*code).eq_ignore_ascii_case(text);
    let by_number = |code: &Code| i32::from(*code).to_string() == text;
    codes.into_iter().find(|code| by_name(code) || by_number(code)).ok_or_else(|| {
        ParseFaultError(format!("code: `{text}` is neither a gRPC code's name nor 1 to 16"))
    })
}
