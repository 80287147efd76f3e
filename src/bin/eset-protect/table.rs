//! Tables for people.
//!
//! On a terminal a table is fitted to its width; one that is too narrow for the identifiers gets a
//! block of lines for each row instead, since a broken identifier cannot be copied. In a pipe the
//! columns are aligned with spaces and nothing is cut.

use std::env;

use comfy_table::{
    Attribute, Cell, ColumnConstraint, ContentArrangement, Table as Fitted, presets,
};

use crate::failure::Failure;
use crate::output::Output;
use crate::text::printable;

/// A column is not padded beyond this, lest one long name fill every line with spaces.
const MAX_PADDING: usize = 60;
/// What a column of text is given at least.
const MIN_TEXT_WIDTH: usize = 12;

/// Something that is a row of a table.
pub trait Row {
    /// The headers of the columns.
    const HEADERS: &'static [&'static str];
    /// The text of each column.
    fn cells(&self) -> Vec<String>;
}

/// Rows under headers.
#[derive(Debug)]
pub struct Table {
    headers: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<R: Row>() -> Self {
        Self { headers: R::HEADERS, rows: Vec::new() }
    }

    pub fn push<R: Row>(&mut self, row: &R) {
        self.rows.push(row.cells().iter().map(|cell| printable(cell).into_owned()).collect());
    }

    /// Prints the table; `what` is what there is none of if it is empty.
    pub fn print(&self, output: &mut Output, what: &str) -> Result<(), Failure> {
        if !output.is_terminal {
            return self.print_plain(output);
        }
        if self.rows.is_empty() {
            return output.line(&output.style.dim(&format!("No {what}s.")));
        }
        let width = terminal_width();
        if width.is_some_and(|width| usize::from(width) < self.min_width()) {
            return self.print_blocks(output);
        }
        self.print_fitted(output, width)
    }

    /// Aligned columns, two spaces apart.
    fn print_plain(&self, output: &mut Output) -> Result<(), Failure> {
        let headers: Vec<String> = self.headers.iter().map(|&header| header.to_owned()).collect();
        let widths = self.widths();
        for row in std::iter::once(&headers).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let width = (*width).min(MAX_PADDING);
                line.push_str(&format!("{cell:width$}  "));
            }
            output.line(line.trim_end())?;
        }
        Ok(())
    }

    fn print_fitted(&self, output: &mut Output, width: Option<u16>) -> Result<(), Failure> {
        let mut table = Fitted::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(width) = width {
            table.set_width(width);
        }
        if output.style.is_enabled() {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(
            self.headers.iter().map(|header| Cell::new(header).add_attribute(Attribute::Bold)),
        );
        for row in &self.rows {
            table.add_row(row.iter().map(Cell::new));
        }
        // Lines between the rows help only where rows are broken.
        table.remove_style(comfy_table::TableComponent::HorizontalLines);
        for (index, width) in self.widths().iter().enumerate() {
            if *width <= 40
                && self.is_whole(index)
                && let Some(column) = table.column_mut(index)
            {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        output.line(&table.trim_fmt())
    }

    /// A block of lines for each row.
    fn print_blocks(&self, output: &mut Output) -> Result<(), Failure> {
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                output.line("")?;
            }
            let fields = self.headers.iter().zip(row).map(|(header, cell)| (*header, cell.clone()));
            print_fields(output, fields)?;
        }
        Ok(())
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |index: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or_default();
            widest.max(self.headers.get(index).map_or(0, |header| header.len()))
        };
        (0..self.headers.len()).map(widest).collect()
    }

    /// Whether no cell of a column can be broken at a space: identifiers, times, names of states.
    fn is_whole(&self, index: usize) -> bool {
        self.rows.iter().all(|row| row.get(index).is_none_or(|cell| !cell.contains(' ')))
    }

    fn min_width(&self) -> usize {
        let widths = self.widths();
        let columns = widths.iter().enumerate().map(|(index, &width)| {
            let least = if self.is_whole(index) && width <= 40 { width } else { MIN_TEXT_WIDTH };
            least.min(width) + 2
        });
        columns.sum()
    }
}

/// Prints one thing: a line for each of its fields that is not empty.
pub fn print_fields<'a>(
    output: &mut Output,
    fields: impl IntoIterator<Item = (&'a str, String)>,
) -> Result<(), Failure> {
    let fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in fields {
        let name = output.style.dim(&format!("{name:width$}"));
        // Several lines stand under each other; only our own JSON has them.
        let mut lines = value.lines();
        let first = lines.next().unwrap_or_default();
        output.line(&format!("{name}  {}", printable(first)))?;
        for line in lines {
            output.line(&format!("{:width$}  {}", "", printable(line)))?;
        }
    }
    Ok(())
}

/// The width of the terminal; COLUMNS, if set, goes before what the terminal says.
fn terminal_width() -> Option<u16> {
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.filter(|&columns| columns > 0).or_else(|| Fitted::new().width())
}
