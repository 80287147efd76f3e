//! Writes the file of items to retry.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use crate::failure::Failure;

/// The file named by `--failed`.
#[derive(Debug)]
pub struct FailedFile {
    what: String,
    file: File,
}

impl FailedFile {
    /// Opens the file but leaves it unchanged, so that a failure before the first call loses nothing. It must
    /// differ from `input`, the file being read.
    pub fn open(path: &Path, input: Option<&Path>) -> Result<Self, Failure> {
        let what = format!("--failed {}", path.display());
        let wrong = |problem: &str| Err(Failure::Input(format!("{what}: {problem}")));
        if path.as_os_str() == "-" {
            return wrong("expected a file; standard output is used for the responses");
        }
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = match opened {
            Ok(file) => file,
            Err(error) => return wrong(&error.to_string()),
        };
        if input.is_some_and(|input| is_same(path, input)) {
            return wrong("expected a different file than the input");
        }
        Ok(Self { what, file })
    }

    /// Replaces the content with these lines.
    pub fn write<'a>(&mut self, lines: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
        self.replace(lines).map_err(|error| Failure::io(&self.what, &error))
    }

    fn replace<'a>(&mut self, lines: impl Iterator<Item = &'a str>) -> io::Result<()> {
        // Pipes and devices have neither length nor position.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
            self.file.rewind()?;
        }
        let mut writer = BufWriter::new(&self.file);
        for line in lines {
            writeln!(writer, "{line}")?;
        }
        writer.flush()
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
