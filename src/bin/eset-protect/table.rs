//! Tables for people.
//!
//! On a terminal, a table is fitted to the width. Identifiers are never broken, since a broken one cannot be
//! copied: columns that do not fit are omitted, and if too few remain, each row becomes a block of lines. In
//! a pipe, columns are aligned with spaces and nothing is cut.

use std::collections::BTreeSet;
use std::env;

use comfy_table::{
    Attribute, Cell, ColumnConstraint, ContentArrangement, Table as Fitted, presets,
};

use eset_protect::Client;
use serde_json::Value;

use crate::cell::Times;
use crate::columns::{Column, Shape};
use crate::devices;
use crate::failure::Failure;
use crate::output::{Format, Output, View};
use crate::style::Style;
use crate::text::printable;

/// The maximum padding of a column, so that one long name does not fill every line with spaces.
const MAX_PADDING: usize = 60;
/// The minimum width of a text column.
const MIN_TEXT_WIDTH: usize = 12;
/// The longest text without spaces that is kept whole.
const MAX_WHOLE: usize = 60;
/// The spaces between columns.
const GAP: usize = 2;

/// The minimum number of useful columns.
const MIN_COLUMNS: usize = 3;

/// Rows with headers.
#[derive(Debug)]
pub struct Table {
    times: Times,
    /// Whether text stays as it is, control characters included: in CSV, but not on a terminal.
    is_exact: bool,
    shape: Shape,
    columns: Vec<Column>,
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The UUIDs of devices in the rows, if people are to read their names instead.
    devices: Option<BTreeSet<String>>,
}

impl Table {
    pub fn new(shape: Shape, view: &View, is_terminal: bool) -> Result<Self, Failure> {
        let is_csv = view.format == Format::Csv;
        let times = Times::of(view, is_terminal && !is_csv);
        let is_exact = is_csv && !is_terminal;
        let columns = match view.columns.is_empty() {
            true => shape.columns(view.format == Format::Wide),
            false => {
                let columns = view.columns.iter().map(|path| shape.find(path));
                let columns = columns.collect::<Result<Vec<_>, _>>();
                columns.map_err(|problem| Failure::of("--columns", problem))?
            }
        };
        let headers = columns.iter().map(|column| column.header.clone()).collect();
        let names_devices = view.format == Format::Table && view.columns.is_empty();
        let devices = names_devices.then(BTreeSet::new);
        let table = Self { times, is_exact, shape, columns, headers, rows: Vec::new(), devices };
        if let Some(key) = &view.sort {
            table.column(key.trim_start_matches('-'))?;
        }
        Ok(table)
    }

    /// Finds the field to sort by.
    pub fn column(&self, path: &str) -> Result<Column, Failure> {
        self.shape.find(path).map_err(|problem| Failure::of("--sort", problem))
    }

    /// Returns the UUID of a message, or its first column.
    pub fn name(&self, message: &Value) -> Option<String> {
        let uuid = message["uuid"].as_str().map(str::to_owned);
        uuid.or_else(|| Some(self.columns.first()?.cell(message, Times::Exact)))
    }

    /// Returns the table as CSV (RFC 4180).
    pub fn csv(&self) -> String {
        let mut text = String::new();
        for row in std::iter::once(&self.headers).chain(&self.rows) {
            let cells = row.iter().map(|cell| match cell.contains([',', '"', '\n', '\r']) {
                true => format!("\"{}\"", cell.replace('"', "\"\"")),
                false => cell.clone(),
            });
            text.push_str(&cells.collect::<Vec<_>>().join(","));
            text.push_str("\r\n");
        }
        text
    }

    /// Adds a message.
    pub fn push(&mut self, message: &Value) {
        if let Some(devices) = &mut self.devices {
            let shown = self.columns.iter().flat_map(|column| column.devices(message));
            devices.extend(shown.map(str::to_owned));
        }
        let cells = self.columns.iter().map(|column| column.cell(message, self.times));
        self.rows.push(match self.is_exact {
            true => cells.collect(),
            false => cells.map(|cell| printable(&cell).into_owned()).collect(),
        });
    }

    /// Replaces the UUIDs of devices by their names, as far as the login may read them.
    pub async fn name_devices(&mut self, client: &Client) {
        let Some(devices) = self.devices.as_ref().filter(|devices| !devices.is_empty()) else {
            return;
        };
        let names = devices::names(client, devices).await;
        for cell in self.rows.iter_mut().flatten() {
            // A cell is a UUID alone, or has others before it, such as `device:UUID`.
            let parts = cell.split_inclusive([' ', ',', ':']);
            let parts =
                parts.map(|part| match names.get(part).filter(|_| devices.contains(part)) {
                    Some(name) => printable(name),
                    None => part.into(),
                });
            *cell = parts.collect();
        }
    }

    /// Prints the table; `what` names the items for an empty table.
    pub fn print(&self, output: &mut Output, what: &str) -> Result<(), Failure> {
        if !output.is_terminal {
            return output.bytes(self.plain().as_bytes());
        }
        if self.rows.is_empty() {
            return output.line(&output.style.dim(&format!("No {what}.")));
        }
        let width = terminal_width().map_or(usize::MAX, usize::from);
        output.bytes(self.fitted(width, output.style).as_bytes())
    }

    /// Aligns columns.
    fn plain(&self) -> String {
        let widths: Vec<_> = (0..self.headers.len()).map(|index| self.width(index)).collect();
        let mut text = String::new();
        for row in std::iter::once(&self.headers).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let width = (*width).min(MAX_PADDING);
                line.push_str(&format!("{cell:width$}{:GAP$}", ""));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Fits the table to a terminal of this width.
    fn fitted(&self, width: usize, style: Style) -> String {
        let columns = self.fitting(width);
        if columns < MIN_COLUMNS.min(self.headers.len()) {
            return self.blocks(style);
        }
        let mut text = self.columns(columns, width, style);
        text.push('\n');
        let rest = self.headers.get(columns..).unwrap_or_default();
        if !rest.is_empty() {
            let rest = format!("In a wider terminal also: {}.", rest.join(", "));
            text.push_str(&style.dim(&rest));
            text.push('\n');
        }
        text
    }

    /// The first columns.
    fn columns(&self, columns: usize, width: usize, style: Style) -> String {
        let mut table = Fitted::new();
        table.load_preset(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if let Ok(width) = u16::try_from(width) {
            table.set_width(width);
        }
        if style.is_enabled() {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let headers = self.headers.iter().take(columns);
        table.set_header(headers.map(|header| Cell::new(header).add_attribute(Attribute::Bold)));
        for row in &self.rows {
            table.add_row(row.iter().take(columns).map(Cell::new));
        }
        for index in 0..columns {
            let is_whole = self.is_whole(index);
            if let Some(column) = table.column_mut(index) {
                column.set_padding((0, if index + 1 < columns { 2 } else { 0 }));
                if is_whole {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        table.trim_fmt()
    }

    /// Formats each row as a block of lines.
    fn blocks(&self, style: Style) -> String {
        let block = |row: &Vec<String>| {
            let lines = row.iter().map(|cell| vec![cell.clone()]);
            fields_text(style, &self.headers.iter().cloned().zip(lines).collect::<Vec<_>>())
        };
        self.rows.iter().map(block).collect::<Vec<_>>().join("\n")
    }

    fn width(&self, index: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(index));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or_default();
        widest.max(self.headers.get(index).map_or(0, |header| header.len()))
    }

    /// Whether a column must stay whole: identifiers, times, names of states.
    fn is_whole(&self, index: usize) -> bool {
        let has_space = |row: &Vec<String>| row.get(index).is_some_and(|cell| cell.contains(' '));
        let is_time = self.columns.get(index).is_some_and(Column::is_time);
        self.width(index) <= MAX_WHOLE && (is_time || !self.rows.iter().any(has_space))
    }

    /// Returns how many of the first columns fit into this width.
    fn fitting(&self, width: usize) -> usize {
        let mut used = 0;
        let fits = |index: &usize| {
            let width_of = self.width(*index);
            used += if self.is_whole(*index) { width_of } else { width_of.min(MIN_TEXT_WIDTH) };
            let fits = used <= width;
            used += GAP;
            fits
        };
        (0..self.headers.len()).take_while(fits).count()
    }
}

/// The name of a field and its value, line by line. Text is always a single line, so that a name from a server
/// cannot look like another field.
pub type Lines = (String, Vec<String>);

/// Formats one thing: a name and its lines, for each field that is not empty. A name without lines is a heading.
pub fn fields_text(style: Style, fields: &[Lines]) -> String {
    let is_set = |text: &String| !text.is_empty();
    let is_shown = |lines: &[String]| lines.is_empty() || lines.iter().any(is_set);
    let fields: Vec<_> = fields.iter().filter(|(_, lines)| is_shown(lines)).collect();
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, lines) in fields {
        if lines.is_empty() {
            text.push_str(&format!("{}\n", style.dim(name)));
        }
        let mut name = style.dim(&format!("{name:width$}"));
        for line in lines {
            text.push_str(&format!("{name}{:GAP$}{}\n", "", printable(line)));
            name = " ".repeat(width);
        }
    }
    text
}

/// Returns the width of the terminal. COLUMNS takes precedence if it is set.
fn terminal_width() -> Option<u16> {
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.filter(|&columns| columns > 0).or_else(|| Fitted::new().width())
}
