//! The flags of an RPC: one for each field of its request; nested fields have dots in their names.

use std::collections::BTreeMap;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches};
use eset_protect::descriptors::{is_output_only, is_required, summary};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::value::RawValue;

use crate::cell::enum_prefix;
use crate::method::Method;

/// The maximum nesting of messages.
const MAX_DEPTH: usize = 6;
/// The prefix for a flag whose name another flag already has.
const PREFIX: &str = "request.";

/// The flag for a field.
#[derive(Debug)]
pub struct Flag {
    /// The path from the request to the field.
    fields: Vec<FieldDescriptor>,
    /// Whether a flag of every RPC has the same name.
    is_taken: bool,
}

/// How the value of a flag becomes JSON.
enum Form {
    Bool,
    Enum,
    /// A JSON string: text, base64 bytes, and numbers, times and masks, which ProtoJSON reads from strings.
    Text,
    Json,
}

impl Flag {
    /// Returns the flags of an RPC; `taken` are the names of other flags.
    pub fn of(method: &Method, taken: &[String]) -> Vec<Self> {
        let mut flags = Vec::new();
        collect(&method.input(), &mut Vec::new(), &mut flags);
        flags.retain(|flag| !(method.spec.is_paged && flag.path() == "page_token"));
        for flag in &mut flags {
            flag.is_taken = taken.contains(&flag.long());
        }
        flags
    }

    /// Returns the path of the field with the names of the `.proto` file.
    pub fn path(&self) -> String {
        self.fields.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".")
    }

    /// Returns a unique id for the argument.
    pub fn id(&self) -> String {
        format!("{PREFIX}{}", self.path())
    }

    fn long(&self) -> String {
        let prefix = if self.is_taken { PREFIX } else { "" };
        format!("{prefix}{}", self.path().replace('_', "-"))
    }

    /// Returns the name as users type it.
    pub fn name(&self) -> String {
        format!("--{}", self.long())
    }

    pub fn is_given(&self, matches: &ArgMatches) -> bool {
        matches.try_contains_id(&self.id()).unwrap_or_default()
    }

    /// Whether only one of the two can be set, because they are in different fields of one oneof.
    pub fn excludes(&self, other: &Self) -> bool {
        let pairs = self.fields.iter().zip(&other.fields);
        let Some((ours, theirs)) = pairs.into_iter().find(|(ours, theirs)| ours != theirs) else {
            return false;
        };
        ours.containing_oneof().is_some() && ours.containing_oneof() == theirs.containing_oneof()
    }

    pub fn arg(&self) -> Arg {
        let Some(field) = self.fields.last() else { return Arg::new("") };
        let arg = Arg::new(self.id()).long(self.long()).help(self.help());
        let arg = match (form(field), field.kind()) {
            (Form::Bool, _) => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("true|false")
                .hide_possible_values(true)
                .value_parser(PossibleValuesParser::new(["true", "false"])),
            (Form::Enum, Kind::Enum(values)) => {
                let prefix = enum_prefix(&values);
                let possible = values.values().map(|value| {
                    let name = value.name().to_owned();
                    let short = name.strip_prefix(&prefix).map(str::to_owned);
                    match short {
                        Some(short) => PossibleValue::new(short).alias(name),
                        None => PossibleValue::new(name),
                    }
                });
                let parser = PossibleValuesParser::new(possible.collect::<Vec<_>>());
                arg.value_name("NAME").ignore_case(true).value_parser(parser)
            }
            _ => arg.value_name(value_name(field)).allow_hyphen_values(true),
        };
        if field.is_list() || field.is_map() { arg.action(ArgAction::Append) } else { arg }
    }

    fn help(&self) -> String {
        let Some(field) = self.fields.last() else { return String::new() };
        let mut help = summary(&field.parent_file(), field.path()).unwrap_or_default();
        // A message that is unset needs none of its fields.
        if self.fields.iter().all(is_required) {
            help.push_str(" (required)");
        }
        if field.is_list() || field.is_map() {
            help.push_str("; may be repeated");
        }
        help.trim_start_matches("; ").to_owned()
    }

    /// Sets the field in a JSON request to the flag's value.
    pub fn set(&self, json: &str, matches: &ArgMatches) -> Result<String, String> {
        let Some(field) = self.fields.last() else { return Ok(json.to_owned()) };
        let values = matches.get_many::<String>(&self.id()).into_iter().flatten();
        let values = values.map(|value| self.value(field, value));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let value = match values.as_slice() {
            members if field.is_map() => format!("{{{}}}", members.join(",")),
            elements if field.is_list() => format!("[{}]", elements.join(",")),
            values => values.last().cloned().unwrap_or_default(),
        };
        let names: Vec<_> = self.fields.iter().map(FieldDescriptor::json_name).collect();
        insert(json, &names, value).map_err(|error| format!("{}: {error}", self.name()))
    }

    /// Returns a value of the flag as JSON.
    fn value(&self, field: &FieldDescriptor, text: &str) -> Result<String, String> {
        let kind = field.kind();
        let entry = kind.as_message().filter(|message| message.is_map_entry());
        if let Some(entry) = entry {
            let Some((key, value)) = text.split_once('=') else {
                return Err(format!("{}: expected KEY=VALUE, found {text:?}", self.name()));
            };
            let value = self.value(&entry.map_entry_value_field(), value)?;
            return Ok(format!("{}:{value}", quoted(key)));
        }
        match form(field) {
            Form::Bool => Ok(text.to_owned()),
            Form::Text => Ok(quoted(text)),
            Form::Enum => {
                // The names of the schema, however they were typed.
                let Kind::Enum(values) = kind else { return Ok(quoted(text)) };
                let short = format!("{}{text}", enum_prefix(&values));
                let is_it = |name: &str| {
                    name.eq_ignore_ascii_case(text) || name.eq_ignore_ascii_case(&short)
                };
                let found = values.values().find(|value| is_it(value.name()));
                Ok(quoted(found.as_ref().map_or(text, |value| value.name())))
            }
            Form::Json => match serde_json::from_str::<&RawValue>(text) {
                Ok(json) => Ok(json.get().to_owned()),
                Err(error) => Err(format!("{}: expected JSON: {error}", self.name())),
            },
        }
    }
}

fn collect(message: &MessageDescriptor, path: &mut Vec<FieldDescriptor>, flags: &mut Vec<Flag>) {
    for field in message.fields().filter(|field| !is_output_only(field)) {
        let kind = field.kind();
        let inner = kind.as_message().filter(|inner| {
            let is_known = path.iter().any(|field| field.parent_message() == *inner);
            !field.is_list() && !field.is_map() && !is_known && !is_well_known(inner)
        });
        path.push(field.clone());
        match inner {
            Some(inner) if path.len() < MAX_DEPTH => collect(inner, path, flags),
            _ => flags.push(Flag { fields: path.clone(), is_taken: false }),
        }
        path.pop();
    }
}

fn form(field: &FieldDescriptor) -> Form {
    match field.kind() {
        Kind::Bool => Form::Bool,
        Kind::Enum(_) => Form::Enum,
        Kind::Message(message) if message.full_name() == "google.protobuf.BoolValue" => Form::Bool,
        Kind::Message(message) if !is_text(&message) => Form::Json,
        _ => Form::Text,
    }
}

/// What stands for a value of the field in help texts and in examples.
pub fn value_name(field: &FieldDescriptor) -> &'static str {
    match field.kind() {
        _ if field.is_map() => "KEY=VALUE",
        Kind::String if field.name().ends_with("uuid") => "UUID",
        Kind::String if field.name().ends_with("uuids") => "UUID",
        Kind::String => "TEXT",
        Kind::Bytes => "BASE64",
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Timestamp" => "RFC3339",
            "google.protobuf.Duration" => "SECONDS",
            "google.protobuf.FieldMask" => "PATHS",
            "google.protobuf.StringValue" => "TEXT",
            "google.protobuf.BytesValue" => "BASE64",
            name if name.ends_with("Value") && is_text(&message) => "NUMBER",
            _ => "JSON",
        },
        _ => "NUMBER",
    }
}

fn is_well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

/// Whether ProtoJSON reads the message from a string.
fn is_text(message: &MessageDescriptor) -> bool {
    let has_form = matches!(message.name(), "Timestamp" | "Duration" | "FieldMask")
        || message.name().ends_with("Value") && !matches!(message.name(), "Value" | "ListValue");
    is_well_known(message) && has_form
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Sets a member of an object, and creates parent objects. Existing values keep their text, so that their
/// numbers stay exact.
fn insert(json: &str, path: &[&str], value: String) -> serde_json::Result<String> {
    let Some((name, rest)) = path.split_first() else { return Ok(value) };
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json)?;
    let inner = members.get(*name).map_or("{}", |member| member.get());
    let member = RawValue::from_string(insert(inner, rest, value)?)?;
    members.insert((*name).to_owned(), member);
    serde_json::to_string(&members)
}
