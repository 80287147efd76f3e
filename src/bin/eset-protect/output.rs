//! Standard output: buffered, and without a panic if the reader is gone.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use clap::{Args, ValueEnum};
use eset_protect::codegen::Profile;

use crate::candidates::fields;
use crate::failure::{Failure, refuse};
use crate::jq::Jq;
use crate::safety::Safety;
use crate::style::Style;
use crate::text::json_printable;

/// The output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: a table fitted to the terminal; aligned columns in a pipe
    #[default]
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

impl Format {
    /// Those of a JSON document without rows.
    pub const OF_DOCUMENTS: &[Self] = &[Self::Table, Self::Json, Self::Yaml];

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn has_columns(self) -> bool {
        matches!(self, Self::Table | Self::Wide | Self::Csv)
    }
}

/// How to show messages.
#[derive(Args, Clone, Debug)]
pub struct View {
    /// The output format; `table` unless the profile has another
    #[arg(short = 'o', long, global = true, value_name = "FORMAT", ignore_case = true)]
    output: Option<Format>,
    /// The format that was chosen.
    #[arg(skip)]
    pub format: Format,
    /// The same as --output json
    #[arg(long, global = true)]
    json: bool,
    /// Print what this filter of jq makes of the JSON of each item of a list, or of the response; text is
    /// printed without quotes
    #[arg(long, global = true, value_name = "FILTER", value_parser = Jq::parse)]
    jq: Option<Jq>,
    /// The columns of tables and CSV: paths of fields such as uuid,action.name, separated by commas
    #[arg(long, global = true, value_name = "PATHS", value_delimiter = ',', add = fields())]
    pub columns: Vec<String>,
    /// Sort by this field; with a hyphen before it, the largest come first
    #[arg(long, global = true, value_name = "[-]PATH", allow_hyphen_values = true, add = fields())]
    pub sort: Option<String>,
    /// Show times in UTC at a terminal, not in the local time zone
    #[arg(long, global = true)]
    pub utc: bool,
    #[arg(skip)]
    pub safety: Safety,
}

impl View {
    /// Chooses the format by the flags or the profile.
    pub fn settled(mut self, profile: Option<&Profile>) -> Result<Self, Failure> {
        let json = self.jq.as_ref().map(|_| "--jq").or(self.json.then_some("--json"));
        self.format = match (self.output, json, profile.and_then(Profile::output)) {
            (Some(Format::Json) | None, Some(_), _) => Format::Json,
            (Some(format), Some(flag), _) => {
                let expected = "expected --output json, or no --output";
                return Err(Failure::Input(format!("{flag}: {expected}, found {}", format.name())));
            }
            (Some(format), None, _) => format,
            (None, None, Some(name)) => match Format::from_str(name, true) {
                // A flag overrides the profile.
                Ok(format) if !self.columns.is_empty() && !format.has_columns() => Format::Table,
                format => format.map_err(|problem| {
                    let place = profile.map(|profile| profile.place("output")).unwrap_or_default();
                    Failure::Input(format!("{place}: {problem}"))
                })?,
            },
            (None, None, None) => Format::default(),
        };
        let is_wrong = !self.columns.is_empty() && !self.format.has_columns();
        let why = format!(
            "expected --output table, wide or csv, found {}; --jq '{{uuid, displayName}}' chooses members of JSON",
            self.format.name()
        );
        refuse(&[("--columns", is_wrong)], &why).map(|()| self)
    }

    /// Prints whole responses, even where a person would get a table.
    pub fn in_json(mut self) -> Result<Self, Failure> {
        self.expect(&[Format::Json])?;
        self.output = Some(Format::Json);
        Ok(self)
    }

    /// Prints JSON, or what --jq makes of it.
    pub fn json(&self, output: &mut Output, json: &str) -> Result<(), Failure> {
        match &self.jq {
            Some(jq) => jq.lines(json)?.iter().try_for_each(|line| output.foreign_line(line)),
            None => output.foreign_line(json),
        }
    }

    /// Refuses what has no effect on output that is neither a table nor sorted: other formats than these, columns and an
    /// order.
    pub fn expect(&self, formats: &[Format]) -> Result<(), Failure> {
        let problem = match self.output.filter(|it| !formats.contains(it)) {
            Some(format) => {
                let names: Vec<_> = formats.iter().map(|format| format.name()).collect();
                format!("--output: expected {}, found {}", names.join(" or "), format.name())
            }
            None if !self.columns.is_empty() => {
                "--columns: expected a list or an item, since this has no columns".to_owned()
            }
            None if self.sort.is_some() => "--sort: the order is fixed".to_owned(),
            None => return Ok(()),
        };
        Err(Failure::Input(problem))
    }

    /// Refuses all options for the output, which has a form of its own.
    pub fn expect_no_format(&self, why: &str) -> Result<(), Failure> {
        let flags = [
            ("--output", self.output.is_some()),
            ("--json", self.json),
            ("--jq", self.jq.is_some()),
            ("--columns", !self.columns.is_empty()),
            ("--sort", self.sort.is_some()),
        ];
        refuse(&flags, why)
    }

    /// Refuses an order where whole responses are printed, not the rows in them.
    pub fn expect_rows_if_sorted(&self) -> Result<(), Failure> {
        let is_wrong = self.sort.is_some() && matches!(self.format, Format::Json | Format::Yaml);
        let format = self.format.name();
        let why = "expected --output table, wide, csv or name, since";
        refuse(&[("--sort", is_wrong)], &format!("{why} {format} has whole responses"))
    }

    /// Whether people read lines where there is no message: a table only if they chose columns or an order.
    pub fn has_lines(&self) -> bool {
        self.format == Format::Table && self.columns.is_empty() && self.sort.is_none()
    }

    /// Whether a filter makes something else of the JSON.
    pub fn has_jq(&self) -> bool {
        self.jq.is_some()
    }

    /// Whether the output is not for programs.
    pub fn is_for_people(&self) -> bool {
        matches!(self.format, Format::Table | Format::Wide)
    }

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

    /// Writes text from a server, such as JSON. At a terminal, what could control it is escaped.
    pub fn foreign(&mut self, text: &str) -> Result<(), Failure> {
        match self.is_terminal {
            true => self.bytes(json_printable(text).as_bytes()),
            false => self.bytes(text.as_bytes()),
        }
    }

    /// Writes text from a server, and ends the line.
    pub fn foreign_line(&mut self, text: &str) -> Result<(), Failure> {
        self.foreign(text)?;
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
