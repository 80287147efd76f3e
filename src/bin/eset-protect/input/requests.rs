//! Requests in JSON: one, or many.

use std::path::Path;

use eset_protect::JsonMessage;
use eset_protect::protojson::Reader;
use serde_json::Value;
use serde_json::value::RawValue;

use super::file::read_text;
use crate::failure::Failure;

/// What a file of requests holds.
#[derive(Debug)]
pub enum Requests<M> {
    /// One, as `get` or `list` prints it.
    One(M),
    /// A list, or several one after another; each with the place where it stands, such as `line 97`.
    Many(Vec<(String, M)>),
}

impl<M> Requests<M> {
    /// One as a list of one, if that is wanted.
    pub fn many_if(self, is_wanted: bool) -> Self {
        match self {
            Self::One(request) if is_wanted => {
                Self::Many(vec![("the request".to_owned(), request)])
            }
            other => other,
        }
    }
}

/// Reads requests from the JSON file that `--file` names: one, several one after another (NDJSON), or an
/// array. All are read before there is an answer, so that nothing is half done because of a wrong one.
/// `member` is what a request is about, such as `task`. What the server sets is left out, so that what `get`
/// prints can be created again.
pub fn read_requests<M: JsonMessage>(path: &Path, member: &str) -> Result<Requests<M>, Failure> {
    parse(&read_text("--file", path)?, member)
        .map_err(|problem| Failure::Input(format!("--file {}: {problem}", path.display())))
}

fn parse<M: JsonMessage>(json: &str, member: &str) -> Result<Requests<M>, String> {
    let is_array = json.trim_start().starts_with('[');
    let parts = if is_array { elements(json) } else { values(json) };
    let parts = parts.map_err(|error| error.to_string())?;
    if parts.is_empty() && !is_array {
        return Err(format!("it is empty; expected {}", expected(member)));
    }
    if parts.len() < 2 && !is_array {
        return request(json, member).map(Requests::One);
    }
    let requests = parts.into_iter().map(|(place, json)| {
        // Line and column would be those within this part.
        let request = request(json.get(), member);
        let request = request.map_err(|error| format!("{place}: {}", without_position(&error)))?;
        Ok((place, request))
    });
    requests.collect::<Result<_, String>>().map(Requests::Many)
}

/// The elements of an array.
fn elements(json: &str) -> serde_json::Result<Vec<(String, &RawValue)>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json)?;
    let places = (1..).map(|number| format!("element {number}"));
    Ok(places.zip(elements).collect())
}

/// The values that stand one after another.
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

/// Reads one request, or what it is about alone, as a list prints it.
///
/// Members that the schema does not have are refused, since gRPC cannot carry them and they would be
/// lost without a word; inside an `Any` they are kept, so there they are fine.
fn request<M: JsonMessage>(json: &str, member: &str) -> Result<M, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let Value::Object(members) = &value else {
        return Err(format!("expected {}", expected(member)));
    };
    if members.contains_key(member) {
        return read(json, value);
    }
    if members.is_empty() {
        return Err(format!("expected {}, found {{}}", expected(member)));
    }
    read(&format!("{{\"{member}\":{json}}}"), serde_json::json!({ member: value }))
        .map_err(|error| format!("{}; expected {}", without_position(&error), expected(member)))
}

/// What a request looks like.
fn expected(member: &str) -> String {
    format!("{{\"{member}\": {{…}}}}, as `get` prints it, or a {member} alone, as `list` does")
}

fn read<M: JsonMessage>(json: &str, mut value: Value) -> Result<M, String> {
    let mut request: M = Reader::new().read(json.as_bytes()).map_err(|error| error.to_string())?;
    request.clear_output_only();
    remove_anys(&mut value);
    // Line and column would be those of what is left.
    Reader::new()
        .strict(true)
        .read::<M>(value.to_string().as_bytes())
        .map_err(|error| without_position(&error.to_string()).to_owned())?;
    Ok(request)
}

fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

/// Takes out every object with an `@type`.
fn remove_anys(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| member.get("@type").is_none());
            members.values_mut().for_each(remove_anys);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_anys),
        _ => {}
    }
}
