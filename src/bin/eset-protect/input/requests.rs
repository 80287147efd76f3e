//! Reads requests in JSON.

use std::path::Path;

use serde_json::value::RawValue;

use super::file::read_text;
use crate::failure::Failure;
use crate::method::Method;
use crate::request::{Request, expected, without_position};

/// The requests of an input.
#[derive(Debug)]
pub enum Requests {
    /// A single request, as printed by `get` or `list`.
    One(Request),
    /// A list, or several in sequence, each with its place, such as `line 97`.
    Many(Vec<(String, Request)>),
}

impl Requests {
    /// Turns a single request into a list of one, if wanted.
    pub fn many_if(self, is_wanted: bool) -> Self {
        match self {
            Self::One(request) if is_wanted => {
                Self::Many(vec![("the request".to_owned(), request)])
            }
            other => other,
        }
    }
}

/// Reads requests from the JSON file named by `--file`: one, several in sequence (NDJSON), or an array. Reads
/// all of them before any is sent, so that an invalid one has no partial effect.
pub fn read_requests(method: &Method, path: &Path) -> Result<Requests, Failure> {
    let what = format!("--file {}", path.display());
    parse_requests(method, &what, &read_text("--file", path)?, &|json| Ok(json.to_owned()))
}

/// Reads the requests in a text; `complete` may add to each of them. `what` names the text.
pub fn parse_requests(
    method: &Method,
    what: &str,
    text: &str,
    complete: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Requests, Failure> {
    parse(method, text, complete).map_err(|problem| Failure::Input(format!("{what}: {problem}")))
}

fn parse(
    method: &Method,
    json: &str,
    complete: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Requests, String> {
    let is_array = json.trim_start().starts_with('[');
    let parts = if is_array { elements(json) } else { values(json) };
    let parts = parts.map_err(|error| format!("expected JSON: {error}"))?;
    if parts.is_empty() && !is_array {
        return Err(format!("it is empty; {}", expected(method)));
    }
    if parts.len() < 2 && !is_array {
        return Request::read(method, &complete(json)?).map(Requests::One);
    }
    let requests = parts.into_iter().map(|(place, json)| {
        // Line and column would refer to this part.
        let request = complete(json.get()).and_then(|json| Request::read(method, &json));
        let request = request.map_err(|error| format!("{place}: {}", without_position(&error)))?;
        Ok((place, request))
    });
    requests.collect::<Result<_, String>>().map(Requests::Many)
}

/// Returns the elements of an array.
fn elements(json: &str) -> serde_json::Result<Vec<(String, &RawValue)>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json)?;
    let places = (1..).map(|number| format!("element {number}"));
    Ok(places.zip(elements).collect())
}

/// Returns values in sequence.
fn values(json: &str) -> serde_json::Result<Vec<(String, &RawValue)>> {
    let mut stream = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>();
    let mut values = Vec::new();
    let (mut line, mut counted) = (1, 0);
    while let Some(value) = stream.next() {
        let value = value?;
        let begin = stream.byte_offset().saturating_sub(value.get().len());
        let between = json.as_bytes().get(counted..begin).unwrap_or_default();
        line += between.iter().filter(|byte| **byte == b'\n').count();
        counted = begin;
        values.push((format!("line {line}"), value));
    }
    Ok(values)
}
