//! Shows a single message with all fields that are set.

use prost_reflect::MessageDescriptor;
use serde_json::Value;

use crate::cell::{self, Times, heading, is_default, is_number, shortened};
use crate::failure::Failure;
use crate::output::{Output, View};
use crate::table::{Lines, fields_text};

/// Longer JSON is printed on several lines.
const MAX_LINE: usize = 100;

/// Which numbers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Those that are set.
    Set,
    /// Zeros of the message itself, too: a count of nothing is an answer.
    All,
}

/// Prints the fields of a message that are set. Returns whether there are any.
pub fn print(
    output: &mut Output,
    view: &View,
    message: &MessageDescriptor,
    value: &Value,
    numbers: Numbers,
) -> Result<bool, Failure> {
    let mut fields = Vec::new();
    let times = match Times::of(view, output.is_terminal) {
        Times::Local => Times::LocalAndAgo,
        times => times,
    };
    collect(message, value, times, numbers, &mut Vec::new(), &mut fields);
    let names: Vec<_> = fields.iter().map(|(path, _)| short(path)).collect();
    let is_shared = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    // The whole path, where two have the same name.
    let named = |((path, lines), name): ((Vec<String>, _), &String)| match is_shared(name) {
        true => (path.join(" ").replace('_', " "), lines),
        false => (name.clone(), lines),
    };
    let fields: Vec<Lines> = fields.into_iter().zip(&names).map(named).collect();
    output.bytes(fields_text(output.style, &fields).as_bytes())?;
    Ok(!fields.is_empty())
}

fn collect(
    message: &MessageDescriptor,
    value: &Value,
    times: Times,
    numbers: Numbers,
    path: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, Vec<String>)>,
) {
    for field in message.fields() {
        let is_shown = |value: &&Value| {
            numbers == Numbers::All && is_number(&field) || !is_default(&field, value)
        };
        let Some(value) = value.get(field.json_name()).filter(is_shown) else { continue };
        path.push(field.name().to_owned());
        let kind = field.kind();
        let inner = kind.as_message().filter(|inner| {
            !field.is_list()
                && !field.is_map()
                && !inner.full_name().starts_with("google.protobuf.")
        });
        if let Some(inner) = inner {
            collect(inner, value, times, Numbers::Set, path, found);
        } else {
            let is_scalar = kind.as_message().is_none();
            let lines = match value {
                Value::Array(elements) if is_scalar => {
                    elements.iter().map(|element| cell::text(&field, element, times)).collect()
                }
                Value::Array(elements) => elements.iter().flat_map(json_lines).collect(),
                Value::Object(_) => json_lines(value),
                value => vec![cell::text(&field, value, times)],
            };
            found.push((path.clone(), lines));
        }
        path.pop();
    }
}

fn short(path: &[String]) -> String {
    heading(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Formats short JSON on one line.
fn json_lines(value: &Value) -> Vec<String> {
    let value = shortened(value);
    let line = value.to_string();
    if line.len() <= MAX_LINE && value.get("@type").is_none() {
        return vec![line];
    }
    match serde_json::to_string_pretty(&value) {
        Ok(json) => json.lines().map(str::to_owned).collect(),
        Err(_) => vec![line],
    }
}
