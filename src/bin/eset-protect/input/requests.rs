//! Reads requests in JSON or YAML.

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::failure::Failure;
use crate::method::Method;
use crate::request::{Request, expected, without_position};
use crate::yaml;

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

/// Reads the requests in a text, in JSON or YAML: one, several in sequence (NDJSON), or an array. Reads all of them before
/// any is sent, so that an invalid one has no partial effect. `complete` may add to each; `what` names the text.
pub fn parse_requests(
    method: &Method,
    what: &str,
    text: &str,
    complete: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Requests, Failure> {
    parse(method, text, complete).map_err(|problem| Failure::of(what, problem))
}

fn parse(
    method: &Method,
    text: &str,
    complete: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Requests, String> {
    let is_array = text.trim_start().starts_with('[');
    let parts = match text.trim_start().as_bytes() {
        [b'[', ..] => elements(text).map_err(|error| format!("expected JSON: {error}"))?,
        [b'{', ..] | [] => values(text).map_err(|error| format!("expected JSON: {error}"))?,
        _ => documents(text).map_err(|error| format!("expected JSON or YAML: {error}"))?,
    };
    match &*parts {
        [] if !is_array => Err(format!("it is empty; {}", expected(method))),
        [(_, json)] if !is_array => Request::read(method, json.get(), complete).map(Requests::One),
        parts => {
            let requests = parts.iter().map(|(place, json)| {
                // Line and column would refer to this part.
                let request = Request::read(method, json.get(), complete);
                let request =
                    request.map_err(|error| format!("{place}: {}", without_position(&error)))?;
                Ok((place.clone(), request))
            });
            requests.collect::<Result<_, String>>().map(Requests::Many)
        }
    }
}

/// The parts of an input, each with its place.
type Parts = Vec<(String, Box<RawValue>)>;

/// Returns the documents of YAML, in which each may be an array.
fn documents(text: &str) -> Result<Parts, String> {
    let mut parts = Vec::new();
    for (number, document) in (1..).zip(yaml::documents(text)?) {
        let values = match document {
            Value::Array(elements) => elements,
            value => vec![value],
        };
        for value in values {
            let json = to_raw_value(&value).map_err(|error| error.to_string())?;
            parts.push((format!("document {number}"), json));
        }
    }
    Ok(parts)
}

/// Returns the elements of an array.
fn elements(json: &str) -> serde_json::Result<Parts> {
    let elements: Vec<Box<RawValue>> = serde_json::from_str(json)?;
    let places = (1..).map(|number| format!("element {number}"));
    Ok(places.zip(elements).collect())
}

/// Returns values in sequence.
fn values(json: &str) -> serde_json::Result<Parts> {
    let mut stream = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>();
    let mut values = Vec::new();
    let (mut line, mut counted) = (1, 0);
    while let Some(value) = stream.next() {
        let value = value?;
        let begin = stream.byte_offset().saturating_sub(value.get().len());
        let between = json.as_bytes().get(counted..begin).unwrap_or_default();
        line += between.iter().filter(|byte| **byte == b'\n').count();
        counted = begin;
        values.push((format!("line {line}"), value.to_owned()));
    }
    Ok(values)
}
