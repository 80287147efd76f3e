//! Standard output: buffered, and without a panic if the reader is gone.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use clap::ValueEnum;

use crate::failure::Failure;
use crate::style::Style;

/// The output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: a table fitted to the terminal; aligned columns in a pipe
    Table,
    /// For programs: ProtoJSON, one message per line, including defaults such as `false` and `""`
    Json,
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
