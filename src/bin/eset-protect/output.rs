//! Standard output: buffered, and without a panic if the reader is gone.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::style::Style;

/// The output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: a table fitted to the terminal; aligned columns in a pipe
    Table,
    /// A table with all columns
    Wide,
    /// For programs: ProtoJSON, one message per line, including defaults such as `false` and `""`
    #[value(alias = "ndjson")]
    Json,
    /// YAML, one document per message, including defaults
    Yaml,
    /// The columns of the table, separated by commas (RFC 4180)
    Csv,
    /// UUIDs only, one per line, as `get` and `delete` read them
    Name,
}

/// How to show messages.
#[derive(Args, Clone, Debug)]
pub struct View {
    /// The output format
    #[arg(
        short = 'o',
        long = "output",
        global = true,
        value_name = "FORMAT",
        default_value = "table",
        ignore_case = true
    )]
    pub format: Format,
    /// The columns of tables and CSV: paths of fields such as uuid,action.name, separated by commas
    #[arg(long, global = true, value_name = "PATHS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Sort by this field; with a hyphen before it, the largest come first
    #[arg(long, global = true, value_name = "[-]PATH", allow_hyphen_values = true)]
    pub sort: Option<String>,
}

impl View {
    /// Whether even a single message is a row.
    pub fn is_tabular(&self) -> bool {
        matches!(self.format, Format::Csv | Format::Name) || !self.columns.is_empty()
    }

    /// Whether each message is printed as it comes.
    pub fn streams(&self) -> bool {
        let streams = matches!(self.format, Format::Json | Format::Yaml | Format::Name);
        streams && self.sort.is_none()
    }
}

/// Standard output.
#[derive(Debug)]
pub struct Output {
    stdout: BufWriter<Stdout>,
    pub is_terminal: bool,
    pub style: Style,
}

impl Output {
    pub fn new() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self {
            stdout: BufWriter::with_capacity(64 * 1024, stdout),
            is_terminal,
            style: Style::new(is_terminal),
        }
    }

    /// Writes one or several lines.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())?;
        self.bytes(b"\n")
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stdout.write_all(bytes).map_err(|error| write_failure(&error))
    }

    /// Makes sure that everything is written. Otherwise a failure at the end would go unnoticed.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.stdout.flush().map_err(|error| write_failure(&error))
    }
}

/// Returns the failure to write to standard output.
pub fn write_failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::ReaderGone;
    }
    Failure::io("standard output", error)
}
