//! Prints messages of one type, in any format.

use std::cmp::Reverse;

use eset_protect::Client;
use prost_reflect::FieldDescriptor;
use serde_json::Value;

use crate::calls::parse;
use crate::columns::Shape;
use crate::failure::Failure;
use crate::output::{Format, Output, View};
use crate::table::Table;
use crate::text::printable;
use crate::yaml;

/// Prints messages as they come, or at the end if their format needs all of them.
#[derive(Debug)]
pub struct Items {
    pub output: Output,
    view: View,
    table: Table,
    /// The messages that wait to be sorted, each with its exact JSON.
    waiting: Vec<(Value, String)>,
    /// How many sorted messages to print.
    pub limit: usize,
}

impl Items {
    /// Prints the messages in a field.
    pub fn of(field: &FieldDescriptor, view: &View) -> Result<Self, Failure> {
        Self::new(Shape::of(field), view)
    }

    /// Prints JSON objects of the command's own with these members.
    pub fn named(members: &[&str], view: &View) -> Result<Self, Failure> {
        Self::new(Shape::Members(members.iter().map(|name| (*name).to_owned()).collect()), view)
    }

    fn new(shape: Shape, view: &View) -> Result<Self, Failure> {
        let output = Output::new();
        let table = Table::new(shape, view, output.is_terminal)?;
        let view = view.clone();
        Ok(Self { output, view, table, waiting: Vec::new(), limit: usize::MAX })
    }

    /// Adds an object of the command's own, for which people read `line` unless they choose columns or an order.
    pub fn push_own(
        &mut self,
        value: &Value,
        line: impl FnOnce(&mut Output) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self.view.has_lines() {
            true => line(&mut self.output),
            false => self.push(&value.to_string()),
        }
    }

    /// Adds a message in JSON. Prints it, unless the format needs all of them.
    pub fn push(&mut self, json: &str) -> Result<(), Failure> {
        if self.view.sort.is_some() {
            self.waiting.push((parse(json)?, json.to_owned()));
            return Ok(());
        }
        match self.view.format {
            Format::Json => self.view.json(&mut self.output, json),
            _ => self.add(&parse(json)?, json),
        }
    }

    fn add(&mut self, value: &Value, json: &str) -> Result<(), Failure> {
        match self.view.format {
            Format::Json => self.view.json(&mut self.output, json),
            Format::Yaml => self.output.foreign(&document(value)?),
            Format::Name => match self.table.name(value) {
                Some(name) => self.output.line(&printable(&name)),
                None => Ok(()),
            },
            Format::Csv | Format::Table | Format::Wide => {
                self.table.push(value);
                Ok(())
            }
        }
    }

    /// Prints the rest; `what` names the messages for an empty table. A table shows devices by name, as far as
    /// `client` may read them.
    pub async fn end(mut self, client: &Client, what: &str) -> Result<(), Failure> {
        self.add_sorted()?;
        if self.view.is_for_people() {
            self.table.name_devices(client).await;
        }
        self.print(what)
    }

    /// Prints the rest of what [`push_own`](Self::push_own) added.
    pub fn end_own(mut self, what: &str) -> Result<(), Failure> {
        self.add_sorted()?;
        match self.view.has_lines() {
            true => self.output.flush(),
            false => self.print(what),
        }
    }

    fn add_sorted(&mut self) -> Result<(), Failure> {
        let mut waiting = std::mem::take(&mut self.waiting);
        if let Some(key) = &self.view.sort {
            let (key, descending) =
                key.strip_prefix('-').map_or((&**key, false), |key| (key, true));
            let column = self.table.column(key)?;
            match descending {
                true => waiting.sort_by_cached_key(|(value, _)| Reverse(column.sort_key(value))),
                false => waiting.sort_by_cached_key(|(value, _)| column.sort_key(value)),
            }
        }
        for (value, json) in waiting.iter().take(self.limit) {
            self.add(value, json)?;
        }
        Ok(())
    }

    fn print(&mut self, what: &str) -> Result<(), Failure> {
        match self.view.format {
            Format::Table | Format::Wide => self.table.print(&mut self.output, what)?,
            Format::Csv => self.output.bytes(self.table.csv().as_bytes())?,
            Format::Json | Format::Yaml | Format::Name => {}
        }
        self.output.flush()
    }
}

/// Prints a whole message if the format is for programs. Returns whether it is.
pub fn program(view: &View, output: &mut Output, json: &str) -> Result<bool, Failure> {
    match view.format {
        Format::Json => view.json(output, json)?,
        Format::Yaml => output.foreign(&document(&parse(json)?)?)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Returns a document of YAML.
fn document(value: &Value) -> Result<String, Failure> {
    Ok(format!("---\n{}", yaml::to_string(value)?))
}
