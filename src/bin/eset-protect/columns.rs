//! The columns that a table of messages shows.

use eset_protect::descriptors;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value;

use crate::cell::{self, Times, heading, noun};
use crate::method::field;
use crate::named::Named;
use crate::sort_key::SortKey;
use crate::text::{kebab, singular};

/// The maximum number of columns where the schema does not choose them.
const MAX: usize = 7;

/// What the columns of a table can be.
#[derive(Clone, Debug)]
pub enum Shape {
    /// The fields of a message.
    Message(MessageDescriptor),
    /// The values of a list of texts or numbers.
    Scalar(FieldDescriptor),
    /// The members of objects that the command makes.
    Members(Vec<String>),
}

impl Shape {
    /// The shape of the values of a field.
    pub fn of(field: &FieldDescriptor) -> Self {
        match field.kind() {
            Kind::Message(message) => Self::Message(message),
            _ => Self::Scalar(field.clone()),
        }
    }

    /// The columns where the user chooses none.
    pub fn columns(&self, are_all: bool) -> Vec<Column> {
        match self {
            Self::Message(message) if are_all => Column::all(message),
            Self::Message(message) => Column::of(message),
            Self::Scalar(field) => vec![Column::whole(field)],
            Self::Members(names) => names.iter().map(|name| Column::member(name)).collect(),
        }
    }

    /// Finds the column of a path.
    pub fn find(&self, path: &str) -> Result<Column, String> {
        match self {
            Self::Message(message) => Column::find(message, path),
            Self::Scalar(_) => Err("these items have no fields".to_owned()),
            Self::Members(names) => {
                let first = path.split('.').next().unwrap_or_default();
                match names.iter().any(|name| name.split('.').next() == Some(first)) {
                    true => Ok(Column::member(path)),
                    false => Err(format!("{path:?}: expected one of {}", names.join(", "))),
                }
            }
        }
    }
}

/// A column: a field, of the message itself or of one inside it.
#[derive(Clone, Debug, Default)]
pub struct Column {
    pub header: String,
    path: Vec<String>,
    /// The last field of the path; `None` inside an `Any`.
    field: Option<FieldDescriptor>,
    /// Columns that are shown in the same place, since usually only one of them is set.
    others: Vec<Self>,
}

impl Column {
    /// The columns of a message: those that its schema names, or the fields that say most.
    fn of(message: &MessageDescriptor) -> Vec<Self> {
        let named = descriptors::columns(message);
        let columns: Vec<_> = if named.is_empty() {
            chosen(message, MAX)
        } else {
            named.iter().filter_map(|paths| first_of(message, paths)).collect()
        };
        with_unique_headers(columns)
    }

    /// The columns of [`of`](Self::of), and after them all others.
    fn all(message: &MessageDescriptor) -> Vec<Self> {
        let mut columns = Self::of(message);
        for column in chosen(message, usize::MAX) {
            if columns.iter().all(|known| known.path != column.path) {
                columns.push(column);
            }
        }
        with_unique_headers(columns)
    }

    /// The column of a member of an object that the command makes, or of one inside it.
    fn member(path: &str) -> Self {
        let header = kebab(&path.replace('.', "-")).replace('-', " ").to_uppercase();
        let path = path.split('.').map(str::to_owned).collect();
        Self { header, path, ..Self::default() }
    }

    /// The column of a list of texts or numbers.
    fn whole(field: &FieldDescriptor) -> Self {
        let header = singular(&noun(field.name()).replace('_', " ")).to_uppercase();
        Self { header, field: Some(field.clone()), ..Self::default() }
    }

    /// Finds a column by the path of its field, in the spelling of the `.proto` file or of JSON.
    fn find(message: &MessageDescriptor, path: &str) -> Result<Self, String> {
        let names: Vec<_> = path.split('.').collect();
        let mut column = Self::default();
        let mut own_names = Vec::new();
        let mut message = Some(message.clone());
        for name in names {
            // What an `Any` contains is not known.
            let inner = message.filter(|message| !message.full_name().ends_with(".Any"));
            column.field = match &inner {
                Some(inner) => Some(field(inner, name).map_err(|hint| {
                    format!("{path:?}: {} has no field {name}; {hint}", inner.name())
                })?),
                None => None,
            };
            let known = column.field.as_ref();
            own_names.push(known.map_or(name, FieldDescriptor::name).to_owned());
            column.path.push(known.map_or(name, FieldDescriptor::json_name).to_owned());
            message = known.and_then(|field| field.kind().as_message().cloned());
        }
        let own_names: Vec<_> = own_names.iter().map(String::as_str).collect();
        column.header = match column.field.as_ref().is_some_and(is_device) {
            true => "DEVICE".to_owned(),
            false => heading(&own_names).to_uppercase(),
        };
        Ok(column)
    }

    /// Whether the column shows times.
    pub fn is_time(&self) -> bool {
        let kind = self.field.as_ref().map(FieldDescriptor::kind);
        let message = kind.as_ref().and_then(Kind::as_message);
        message.is_some_and(|message| message.full_name() == "google.protobuf.Timestamp")
    }

    /// Returns the UUIDs of devices that the column shows.
    pub fn devices<'a>(&self, message: &'a Value) -> Vec<&'a str> {
        let Some(field) = &self.field else { return Vec::new() };
        let mut found = Vec::new();
        match field.kind() {
            _ if is_device(field) => values(message, &self.path, &mut found),
            Kind::Message(inner) => {
                let mut targets = Vec::new();
                values(message, &self.path, &mut targets);
                for device in inner.fields().filter(is_device) {
                    found.extend(targets.iter().filter_map(|it| it.get(device.json_name())));
                }
            }
            _ => {}
        }
        found.into_iter().filter_map(Value::as_str).collect()
    }

    /// Returns what the first value of the column is sorted by.
    pub fn sort_key(&self, message: &Value) -> SortKey {
        let mut found = Vec::new();
        values(message, &self.path, &mut found);
        SortKey::of(self.field.as_ref(), found.into_iter().next())
    }

    /// The text of the column.
    pub fn cell(&self, message: &Value, times: Times) -> String {
        let mut found = Vec::new();
        values(message, &self.path, &mut found);
        let texts = found.into_iter().map(|value| match &self.field {
            Some(field) => cell::text(field, value, times),
            None => cell::plain(value),
        });
        let others = self.others.iter().map(|other| other.cell(message, times));
        texts.chain(others).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// Whether a field is the UUID of a device, by its own name or, in a message about a device, as its identifier.
fn is_device(field: &FieldDescriptor) -> bool {
    let message = field.parent_message();
    let is_about =
        message.name().ends_with("Device") && message.get_field_by_name("display_name").is_none();
    Named::in_field(field) == Some(Named::Device) || (field.name() == "uuid" && is_about)
}

/// Every value at the end of a path; lists on the way are gone through.
fn values<'a>(value: &'a Value, path: &[String], found: &mut Vec<&'a Value>) {
    match (value, path.split_first()) {
        (value, None) => found.push(value),
        (Value::Array(elements), Some(_)) => {
            elements.iter().for_each(|element| values(element, path, found));
        }
        (value, Some((name, rest))) => {
            if let Some(member) = value.get(name) {
                values(member, rest, found);
            }
        }
    }
}

/// Names columns by their whole path where two of them have the same header.
fn with_unique_headers(mut columns: Vec<Column>) -> Vec<Column> {
    let headers: Vec<_> = columns.iter().map(|column| column.header.clone()).collect();
    for column in &mut columns {
        if column.path.len() > 1
            && headers.iter().filter(|other| **other == column.header).count() > 1
        {
            column.header = column
                .path
                .iter()
                .map(|name| kebab(name).replace('-', " "))
                .collect::<Vec<_>>()
                .join(" ")
                .to_uppercase();
        }
    }
    columns
}

/// Returns the column of paths with `|` between them.
fn first_of(message: &MessageDescriptor, paths: &str) -> Option<Column> {
    let mut columns = paths.split('|').filter_map(|path| Column::find(message, path).ok());
    let first = columns.next()?;
    Some(Column { others: columns.collect(), ..first })
}

/// Names first, then the other scalars, then times.
fn chosen(message: &MessageDescriptor, most: usize) -> Vec<Column> {
    let rank = |field: &FieldDescriptor| match (field.name(), field.kind()) {
        ("uuid", _) => Some(0),
        ("display_name" | "name", _) => Some(1),
        (_, Kind::Bytes) => None,
        (_, Kind::Message(kind)) if kind.full_name() == "google.protobuf.Timestamp" => Some(3),
        (_, Kind::Message(_)) => None,
        _ => (!field.is_list()).then_some(2),
    };
    let ranked = message.fields().filter_map(|field| Some((rank(&field)?, field)));
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut fields: Vec<_> = ranked.into_iter().map(|(_, field)| field).collect();
    if fields.is_empty() {
        fields.extend(message.fields());
    }
    let columns = fields.iter().filter_map(|field| Column::find(message, field.name()).ok());
    columns.take(most).collect()
}
