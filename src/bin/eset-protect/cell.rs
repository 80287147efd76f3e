//! Formats the values of fields for people.

use jiff::tz::TimeZone;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind};
use serde_json::Value;

use crate::output::View;
use crate::text::{count, singular};

/// The length above which text in JSON is shortened,
const MAX_TEXT: usize = 200;
/// and the length that is shown.
const BEGINNING: usize = 40;

/// Returns the name of a field: the last part of its path, in words. `device_uuid` is a device,
/// `action.name` and `device.display_name` are named after what they name, and `create_time` is when it was created.
pub fn heading(path: &[&str]) -> String {
    let (name, parent) = match path {
        [.., parent, name] => (*name, Some(*parent)),
        [name] => (*name, None),
        [] => ("", None),
    };
    let name = match (name, parent) {
        ("display_name" | "name", Some(parent)) => parent,
        ("id", Some(parent)) => return format!("{parent}_id").replace('_', " "),
        ("display_name", None) => "name",
        ("create_time", _) => "created",
        ("update_time", _) => "updated",
        ("start_time", _) => "started",
        ("end_time", _) => "ended",
        (name, _) => noun(name),
    };
    name.replace('_', " ")
}

/// Returns `devices` for `devices_uuids`.
pub fn noun(name: &str) -> &str {
    name.strip_suffix("_uuids").or_else(|| name.strip_suffix("_uuid")).unwrap_or(name)
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// As they came, for programs and pipes.
    Exact,
    /// In UTC without fractions of a second.
    Utc,
    /// In the local time zone.
    Local,
    /// In the local time zone, and how long ago.
    LocalAndAgo,
}

impl Times {
    /// Returns how a terminal shows times.
    pub fn of(view: &View, is_terminal: bool) -> Self {
        match (is_terminal, view.utc) {
            (false, _) => Self::Exact,
            (true, true) => Self::Utc,
            (true, false) => Self::Local,
        }
    }

    /// Writes a time in RFC 3339; other text stays as it is.
    pub fn write(self, text: &str) -> String {
        let Ok(time) = text.parse::<jiff::Timestamp>() else { return text.to_owned() };
        let local = || time.to_zoned(TimeZone::system());
        match self {
            Self::Exact => text.to_owned(),
            Self::Utc => time.strftime("%FT%TZ").to_string(),
            Self::Local => local().strftime("%F %T").to_string(),
            Self::LocalAndAgo => {
                format!("{} ({})", local().strftime("%F %T %:z"), ago(time, jiff::Timestamp::now()))
            }
        }
    }
}

/// Returns how long before `now` a time is, or after it: in its largest unit.
fn ago(time: jiff::Timestamp, now: jiff::Timestamp) -> String {
    let seconds = now.as_second() - time.as_second();
    let size = seconds.unsigned_abs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let unit = units.into_iter().find(|(length, _)| size >= *length);
    let Some((length, name)) = unit else { return "now".to_owned() };
    let text = count(usize::try_from(size / length).unwrap_or(usize::MAX), name);
    if seconds < 0 { format!("in {text}") } else { format!("{text} ago") }
}

/// Formats a value on one line.
pub fn text(field: &FieldDescriptor, value: &Value, times: Times) -> String {
    match (field.kind(), value) {
        (kind, Value::Array(elements)) if !field.is_map() => match kind {
            Kind::Message(_) => number_of(field, elements.len()),
            // Identifiers are long and mean nothing to people.
            _ if elements.len() > 3 || field.name().ends_with("_uuids") => {
                number_of(field, elements.len())
            }
            kind => {
                let texts = elements.iter().map(|element| one(&kind, element, times));
                texts.collect::<Vec<_>>().join(", ")
            }
        },
        (_, Value::Object(members)) if field.is_map() => match members.len() {
            0 => String::new(),
            number => count(number, "entry"),
        },
        (kind, value) => one(&kind, value, times),
    }
}

/// Returns `2 devices`; nothing for none.
fn number_of(field: &FieldDescriptor, number: usize) -> String {
    let noun = noun(field.name()).replace('_', " ");
    match number {
        0 => String::new(),
        1 => format!("1 {}", singular(&noun)),
        _ => format!("{number} {noun}"),
    }
}

fn one(kind: &Kind, value: &Value, times: Times) -> String {
    match (kind, value) {
        (Kind::Enum(values), Value::String(name)) => enum_name(values, name),
        (Kind::Message(message), Value::Object(members))
            if !message.full_name().starts_with("google.protobuf.") =>
        {
            let set = message.fields().filter_map(|field| {
                let value = members.get(field.json_name()).filter(|it| !is_default(&field, it))?;
                let text = text(&field, value, times);
                // A count already names the things.
                let is_named = field.is_list() || field.kind().as_message().is_some();
                let noun = noun(field.name()).replace('_', "-");
                (!text.is_empty()).then(|| if is_named { text } else { format!("{noun}:{text}") })
            });
            set.collect::<Vec<_>>().join(", ")
        }
        (Kind::Message(message), Value::String(time))
            if message.full_name() == "google.protobuf.Timestamp" =>
        {
            times.write(time)
        }
        (_, value) => plain(value),
    }
}

/// Returns `QUEUED` for `TASK_RUN_STATUS_QUEUED`; nothing for an unspecified value.
fn enum_name(values: &EnumDescriptor, name: &str) -> String {
    match name.strip_prefix(&enum_prefix(values)).unwrap_or(name) {
        "UNSPECIFIED" => String::new(),
        short => short.to_owned(),
    }
}

/// Returns the common prefix of an enum's names, such as `TASK_RUN_STATUS_`.
pub fn enum_prefix(values: &EnumDescriptor) -> String {
    let first = values.values().next().map(|first| first.name().to_owned()).unwrap_or_default();
    first.strip_suffix("UNSPECIFIED").unwrap_or_default().to_owned()
}

/// Formats a value of unknown type.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::String(text) => text.clone(),
        value => shortened(value).to_string(),
    }
}

/// Whether a value is the default of its field.
pub fn is_default(field: &FieldDescriptor, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => match field.kind() {
            Kind::Enum(values) => values.get_value(0).is_some_and(|first| first.name() == text),
            // ProtoJSON writes 64-bit numbers as text.
            _ if is_number(field) => text == "0",
            _ => text.is_empty(),
        },
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// Whether the values of a field are numbers.
pub fn is_number(field: &FieldDescriptor) -> bool {
    let others = matches!(
        field.kind(),
        Kind::Bool | Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Message(_)
    );
    !others && !field.is_list()
}

/// Returns JSON with shortened texts: a policy's settings have hundreds of kilobytes.
pub fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            let beginning: String = text.chars().take(BEGINNING).collect();
            Value::String(format!("{beginning}… ({})", count(text.chars().count(), "character")))
        }
        Value::Array(elements) => elements.iter().map(shortened).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), shortened(value)));
            Value::Object(members.collect())
        }
        value => value.clone(),
    }
}
