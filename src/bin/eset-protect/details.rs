//! Shows a single message with all fields that are set.

use std::collections::{BTreeMap, BTreeSet};

use eset_protect::Client;
use prost_reflect::{FieldDescriptor, MessageDescriptor};
use serde_json::Value;

use crate::cell::{self, Times, heading, is_default, is_number, shortened};
use crate::devices;
use crate::failure::Failure;
use crate::named::Named;
use crate::output::{Format, Output, View};
use crate::table::{Lines, fields_text};
use crate::well_known::is_well_known;

/// Longer JSON is printed on several lines.
const MAX_LINE: usize = 100;
/// The indentation of the fields of a message inside the message.
const INDENT: &str = "  ";

/// Which numbers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Those that are set.
    Set,
    /// Zeros of the message itself, too: a count of nothing is an answer.
    All,
}

/// Prints the fields of a message that are set, devices by name as far as `client` may read them. Returns whether there
/// are any.
pub async fn print(
    client: &Client,
    output: &mut Output,
    view: &View,
    message: &MessageDescriptor,
    value: &Value,
    numbers: Numbers,
) -> Result<bool, Failure> {
    let times = match Times::of(view, output.is_terminal) {
        Times::Local => Times::LocalAndAgo,
        times => times,
    };
    let mut details =
        Details { times, devices: BTreeSet::new(), names: BTreeMap::new(), fields: Vec::new() };
    details.add(message, value, numbers, "", None);
    if view.format == Format::Table && !details.devices.is_empty() {
        details.names = devices::names(client, &details.devices).await;
        details.fields.clear();
        details.add(message, value, numbers, "", None);
    }
    output.bytes(fields_text(output.style, &details.fields).as_bytes())?;
    Ok(!details.fields.is_empty())
}

struct Details {
    times: Times,
    /// The UUIDs of devices that are shown,
    devices: BTreeSet<String>,
    /// and their names, once they are known.
    names: BTreeMap<String, String>,
    fields: Vec<Lines>,
}

impl Details {
    /// Adds the fields of a message, except the one that is its title.
    fn add(
        &mut self,
        message: &MessageDescriptor,
        value: &Value,
        numbers: Numbers,
        indent: &str,
        title: Option<&FieldDescriptor>,
    ) {
        let is_shown = |field: &FieldDescriptor| {
            let value = value.get(field.json_name());
            let is_set =
                |value| numbers == Numbers::All && is_number(field) || !is_default(field, value);
            title != Some(field) && value.is_some_and(is_set)
        };
        let shown: Vec<_> = message.fields().filter(is_shown).collect();
        let names: Vec<_> = shown.iter().map(|field| heading(&[field.name()])).collect();
        for (field, name) in shown.iter().zip(&names) {
            // The field's own name, where two have the same heading.
            let is_unique = names.iter().filter(|other| *other == name).count() == 1;
            let own_name = || field.name().replace('_', " ");
            let name = format!("{indent}{}", if is_unique { name.clone() } else { own_name() });
            let value = &value[field.json_name()];
            let kind = field.kind();
            let inner = kind.as_message();
            match inner.filter(|it| !field.is_list() && !field.is_map() && !is_well_known(it)) {
                Some(inner) => self.add_inner(inner, value, &name, &format!("{indent}{INDENT}")),
                None => {
                    let lines = self.lines(field, value);
                    self.fields.push((name, lines));
                }
            }
        }
    }

    /// Adds a message inside the message: its name beside that of its field, and below it its other fields.
    fn add_inner(&mut self, inner: &MessageDescriptor, value: &Value, name: &str, indent: &str) {
        let fields = ["display_name", "name"].iter().filter_map(|it| inner.get_field_by_name(it));
        let mut titles = fields.map(|field| {
            let text = cell::text(&field, &value[field.json_name()], self.times);
            (field, text)
        });
        let title = titles.find(|(_, text)| !text.is_empty());
        let before = self.fields.len();
        let lines = title.iter().map(|(_, text)| text.clone()).collect();
        self.fields.push((name.to_owned(), lines));
        self.add(inner, value, Numbers::Set, indent, title.as_ref().map(|(field, _)| field));
        if title.is_none() && self.fields.len() == before + 1 {
            self.fields.truncate(before);
        }
    }

    /// Returns a value in lines.
    fn lines(&mut self, field: &FieldDescriptor, value: &Value) -> Vec<String> {
        let is_scalar = field.kind().as_message().is_none();
        let mut lines = match value {
            Value::Array(elements) if is_scalar => {
                elements.iter().map(|element| cell::text(field, element, self.times)).collect()
            }
            Value::Array(elements) => elements.iter().flat_map(json_lines).collect(),
            Value::Object(_) => json_lines(value),
            value => vec![cell::text(field, value, self.times)],
        };
        if Named::in_field(field) == Some(Named::Device) {
            for line in &mut lines {
                self.devices.insert(line.clone());
                if let Some(name) = self.names.get(line) {
                    line.clone_from(name);
                }
            }
        }
        lines
    }
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
