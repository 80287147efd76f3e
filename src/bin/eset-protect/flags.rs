//! The flags of an RPC: one for each field of its request; nested fields have dots in their names.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use eset_protect::descriptors::{is_output_only, is_required, summary};
use eset_protect::wkt::Timestamp;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::value::RawValue;

use crate::cell::{enum_prefix, noun};
use crate::completions::{By, listed};
use crate::failure::Failure;
use crate::input;
use crate::named::Named;
use crate::operation::skeleton;
use crate::text::{count, kebab, plural, singular};
use crate::well_known::{self, Form, form, value_name};

/// The maximum nesting of messages.
const MAX_DEPTH: usize = 6;
/// The longest JSON in the example of a call.
const MAX_EXAMPLE: usize = 60;
/// The prefix for a flag whose name another flag already has.
const PREFIX: &str = "request.";

/// How flags are named.
#[derive(Clone, Copy, Debug)]
pub enum Names<'a> {
    /// By the whole path.
    Exact,
    /// By the last part of the path where that is unique. These fields are arguments without a flag.
    Short { arguments: &'a [String] },
    /// By this table of paths and names; in capitals, an argument. Other fields have no flag.
    Own(&'a [(&'a str, &'a str)]),
}

/// The flag for a field.
#[derive(Debug)]
pub struct Flag {
    /// The path from the request to the field,
    pub fields: Vec<FieldDescriptor>,
    /// and the field.
    field: FieldDescriptor,
    /// The name without `--`; for an argument, the name of its value.
    pub name: String,
    /// The name in full, if the other is shorter.
    alias: Option<String>,
    pub is_argument: bool,
    /// Whether several values make several requests.
    pub takes_several: bool,
}

impl Flag {
    /// Returns the flags for a message, in full or by the last part of the path where that is unique. None has
    /// the name of a flag of `others`.
    pub fn of(message: &MessageDescriptor, names: Names<'_>, others: &Command) -> Vec<Self> {
        let long = others.get_arguments().filter_map(Arg::get_long);
        let taken: Vec<_> = long.chain(["help", "version", "verbose"]).collect();
        let mut flags = Vec::new();
        collect(message, &mut Vec::new(), &mut flags);
        let short_names: Vec<_> = flags.iter().map(|flag| (flag.short(), flag.is_list())).collect();
        for (flag, (short, is_list)) in flags.iter_mut().zip(&short_names) {
            let exact = flag.path().replace('_', "-");
            let is_free = |name: &str| !taken.contains(&name);
            // Where one field became several, the older one takes no short name.
            let is_same = |(other, others): &&(String, bool)| other == short && others >= is_list;
            let is_unique = short_names.iter().filter(is_same).count() == 1;
            match names {
                Names::Own(names) => {
                    let own = names.iter().find(|(path, _)| *path == flag.path());
                    flag.name = own.map_or("", |(_, name)| name).to_owned();
                    flag.is_argument = flag.name.starts_with(char::is_uppercase);
                }
                Names::Short { arguments } if arguments.contains(&flag.path()) => {
                    flag.name = singular(short).to_uppercase();
                    flag.is_argument = true;
                }
                Names::Short { .. } if is_unique && is_free(short) => {
                    flag.name.clone_from(short);
                    // clap would suggest `--commandLine` for a misspelt `--command-line`.
                    flag.alias = Some(exact).filter(|it| kebab(it) != *short && is_free(it));
                }
                _ if is_free(&exact) => flag.name = exact,
                _ => flag.name = format!("{PREFIX}{exact}"),
            }
        }
        flags.retain(|flag| !flag.name.is_empty());
        flags
    }

    /// Returns the path of the field with the names of the `.proto` file.
    pub fn path(&self) -> String {
        self.fields.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".")
    }

    /// Returns the id of the argument, which is unique among those of a command.
    pub fn id(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    pub fn is_list(&self) -> bool {
        self.field.is_list()
    }

    /// Returns the last part of the path, without `_uuid`.
    fn short(&self) -> String {
        kebab(noun(self.field.name())).replace('_', "-")
    }

    /// Returns the name as users type it.
    pub fn typed_name(&self) -> String {
        if self.is_argument { self.name.clone() } else { format!("--{}", self.name) }
    }

    /// Returns what a value of an argument is: `the task`.
    pub fn noun(&self) -> String {
        format!("the {}", singular(&self.short().replace('-', " ")))
    }

    /// Returns what the values of an argument name: `the task UUID` or `2 tasks`.
    pub fn named(&self, values: &[String]) -> String {
        let noun = self.noun();
        match values {
            [value] => format!("{noun} {value}"),
            values => count(values.len(), noun.trim_start_matches("the ")),
        }
    }

    pub fn is_given(&self, matches: &ArgMatches) -> bool {
        matches.try_contains_id(&self.id()).unwrap_or_default()
            || self.is_argument && input::file(matches).is_some()
    }

    /// Whether a file or standard input has the values.
    pub fn is_read(&self, matches: &ArgMatches) -> bool {
        let value = matches.try_get_one::<String>(&self.id()).ok().flatten();
        input::file(matches).is_some() || value.is_some_and(|value| value == "-")
    }

    /// Whether no request is complete without it.
    pub fn is_required(&self) -> bool {
        self.fields.iter().all(is_required)
    }

    /// Whether it is a field of a message that is required.
    pub fn is_in_required(&self) -> bool {
        self.fields.len() > 1 && self.fields.first().is_some_and(is_required)
    }

    /// Whether it is one of the fields of which a required message has one.
    pub fn is_choice_in_required(&self) -> bool {
        let Some((_, parents)) = self.fields.split_last() else { return false };
        let oneof = self.field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        oneof.is_some() && !parents.is_empty() && parents.iter().all(is_required)
    }

    /// Whether both set fields of the same oneof.
    pub fn is_same_choice(&self, other: &Self) -> bool {
        self.path() == other.path() || self.excludes(other)
    }

    /// Returns what sets the field.
    pub fn example(&self) -> String {
        let field = &self.field;
        let value = match field.kind() {
            Kind::Enum(values) => {
                let name = values.values().nth(1).map(|value| value.name().to_owned());
                let name = name.unwrap_or_default();
                name.strip_prefix(&enum_prefix(&values)).unwrap_or(&name).to_owned()
            }
            Kind::Bool => "true".to_owned(),
            _ => {
                let json = skeleton::of_field(field).filter(|json| json.len() <= MAX_EXAMPLE);
                json.map_or(Self::value_name(field).to_owned(), |json| format!("'{json}'"))
            }
        };
        match (self.is_argument, form(field)) {
            (true, _) => format!(" {}", self.name),
            (false, Form::Bool) => format!(" --{}={value}", self.name),
            (false, _) => format!(" --{} {value}", self.name),
        }
    }

    fn value_name(field: &FieldDescriptor) -> &'static str {
        match Named::in_field(field) {
            Some(Named::Device) => "DEVICE",
            Some(Named::Policy) => "POLICY",
            _ => value_name(field),
        }
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
        let field = &self.field;
        let mut arg = Arg::new(self.id()).help(self.help());
        // Of a resource that the command lists, shells complete the UUIDs.
        let resource = plural(noun(field.name()).replace('_', "-").trim_end_matches('s'));
        if field.name().ends_with("uuid") || field.name().ends_with("uuids") {
            arg = arg.add(listed(&resource, By::of(field.name())));
        }
        if self.is_argument {
            arg = arg.value_name(self.name.clone());
            if field.is_list() || self.takes_several {
                arg = arg.num_args(1..);
            }
            return arg;
        }
        arg = arg.long(self.name.clone());
        if let Some(alias) = &self.alias {
            arg = arg.alias(alias.clone());
        }
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
            _ => arg
                .value_name(Self::value_name(field))
                .allow_hyphen_values(true)
                .value_parser(parser(field)),
        };
        if field.is_list() || field.is_map() { arg.action(ArgAction::Append) } else { arg }
    }

    fn help(&self) -> String {
        let field = &self.field;
        let summary = summary(&field.parent_file(), field.path()).unwrap_or_default();
        let mut help = without_types(&summary);
        if Named::in_field(field).is_some() {
            match help.find("UUID") {
                Some(at) => help.insert_str(at, "name or "),
                None => {
                    let end = help.find([';', ',', ':', '(']).unwrap_or(help.len());
                    let end = help[..end].trim_end().len();
                    help.insert_str(end, ", by name or UUID");
                }
            }
        }
        // A message that is unset needs none of its fields.
        if !self.is_argument && self.is_required() {
            help.push_str(" (required)");
        }
        if self.path() == "update_mask" {
            help.push_str("; by default those that flags and file set, even to nothing");
        }
        if self.takes_several {
            help.push_str("; several are one call each, and `-` reads them from standard input");
        } else if self.is_argument && field.is_list() {
            help.push_str("; `-` reads them from standard input");
        } else if field.is_list() || field.is_map() {
            help.push_str("; may be repeated");
        }
        help.trim_start_matches("; ").to_owned()
    }

    /// Returns the values of the flag. Those of an argument may come from standard input.
    pub fn values(&self, matches: &ArgMatches) -> Result<Vec<String>, Failure> {
        let values: Vec<String> =
            matches.get_many::<String>(&self.id()).into_iter().flatten().cloned().collect();
        if !(self.takes_several || self.is_argument && self.is_list()) {
            if self.is_argument && values.iter().any(|value| value == "-") {
                return Err(Failure::of(&self.name, "expected one, not standard input"));
            }
            return Ok(values);
        }
        input::uuids(values, input::file(matches), Named::at(&self.path()).is_some())
    }

    /// Sets the field in a JSON request to the flag's values.
    pub fn set(&self, json: &str, values: &[String]) -> Result<String, String> {
        let field = &self.field;
        let values = values.iter().map(|value| self.value(field, value));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let value = match values.as_slice() {
            members if field.is_map() => format!("{{{}}}", members.join(",")),
            elements if field.is_list() => format!("[{}]", elements.join(",")),
            values => values.last().cloned().unwrap_or_default(),
        };
        let names: Vec<_> = self.fields.iter().map(FieldDescriptor::json_name).collect();
        insert(json, &names, value).map_err(|error| format!("{}: {error}", self.typed_name()))
    }

    /// Sets a field of the request itself, unless it is set.
    pub fn set_default(&self, json: &str, value: &str) -> Result<String, String> {
        let field = &self.field;
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(json).map_err(|error| error.to_string())?;
        if [field.json_name(), field.name()].iter().any(|name| members.contains_key(*name)) {
            return Ok(json.to_owned());
        }
        insert(json, &[field.json_name()], value.to_owned()).map_err(|error| error.to_string())
    }

    /// Returns a value of the flag as JSON.
    fn value(&self, field: &FieldDescriptor, text: &str) -> Result<String, String> {
        let kind = field.kind();
        let entry = kind.as_message().filter(|message| message.is_map_entry());
        if let Some(entry) = entry {
            let Some((key, value)) = text.split_once('=') else {
                return Err(format!("{}: expected KEY=VALUE, found {text:?}", self.typed_name()));
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
                Err(error) => Err(format!("{}: expected JSON: {error}", self.typed_name())),
            },
        }
    }
}

fn collect(message: &MessageDescriptor, path: &mut Vec<FieldDescriptor>, flags: &mut Vec<Flag>) {
    for field in message.fields().filter(|field| !is_output_only(field)) {
        let kind = field.kind();
        let inner = kind.as_message().filter(|inner| {
            let is_known = path.iter().any(|field| field.parent_message() == *inner);
            !field.is_list() && !field.is_map() && !is_known && !well_known::is_well_known(inner)
        });
        path.push(field.clone());
        match inner {
            Some(inner) if path.len() < MAX_DEPTH => collect(inner, path, flags),
            _ => flags.push(Flag {
                fields: path.clone(),
                field: field.clone(),
                name: String::new(),
                alias: None,
                is_argument: false,
                takes_several: false,
            }),
        }
        path.pop();
    }
}

/// Removes names of messages such as `(device_management.v1.Device)`, which are for programmers.
fn without_types(comment: &str) -> String {
    let is_type = |part: &str| part.contains('.') && !part.contains(char::is_whitespace);
    let mut parts = comment.split(" (");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((inside, rest)) if is_type(inside) => text.push_str(rest),
            _ => text.push_str(&format!(" ({part}")),
        }
    }
    text
}

/// Returns what checks a value as it is typed, so that the error names the flag.
fn parser(field: &FieldDescriptor) -> fn(&str) -> Result<String, String> {
    fn number<T: FromStr + Display>(text: &str, all: RangeInclusive<T>) -> Result<String, String> {
        let expected = || format!("expected a number from {} to {}", all.start(), all.end());
        text.parse::<T>().map(|_| text.to_owned()).map_err(|_| expected())
    }
    if field.is_map() {
        return |text| Ok(text.to_owned());
    }
    match field.kind() {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => |text| number(text, i32::MIN..=i32::MAX),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => |text| number(text, i64::MIN..=i64::MAX),
        Kind::Uint32 | Kind::Fixed32 => |text| number(text, u32::MIN..=u32::MAX),
        Kind::Uint64 | Kind::Fixed64 => |text| number(text, u64::MIN..=u64::MAX),
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            |text| parse_time(text).map(|_| text.to_owned())
        }
        _ => |text| Ok(text.to_owned()),
    }
}

pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    text.parse::<Timestamp>().map_err(|error| error.to_string())
}

/// Returns a text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Sets a member of an object, and creates parent objects. Existing values keep their text, so that their
/// numbers stay exact.
pub fn insert(json: &str, path: &[&str], value: String) -> serde_json::Result<String> {
    let Some((name, rest)) = path.split_first() else { return Ok(value) };
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json)?;
    let inner = members.get(*name).map_or("{}", |member| member.get());
    let member = RawValue::from_string(insert(inner, rest, value)?)?;
    members.insert((*name).to_owned(), member);
    serde_json::to_string(&members)
}
