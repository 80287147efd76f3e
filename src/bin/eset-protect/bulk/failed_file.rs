//! Writes the file of items to retry.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::whole_file::{self, Readers};

/// The file named by `--failed`.
#[derive(Debug)]
pub struct FailedFile {
    what: String,
    path: PathBuf,
    /// What failed so far, for a crash; `None` for what is no file, since it cannot be written again.
    so_far: Option<File>,
}

impl FailedFile {
    /// Makes sure that the file can be written but leaves it unchanged, so that a failure before the first call loses
    /// nothing. It must differ from `input`, the file being read.
    pub fn open(path: &Path, input: Option<&Path>) -> Result<Self, Failure> {
        let what = format!("--failed {}", path.display());
        let wrong = |problem: &str| Err(Failure::Input(format!("{what}: {problem}")));
        if path.as_os_str() == "-" {
            return wrong("expected a file; standard output is used for the responses");
        }
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        if let Err(error) = opened {
            return wrong(&error.to_string());
        }
        if input.is_some_and(|input| is_same(path, input)) {
            return wrong("expected a different file than the input");
        }
        // A link stays one.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self { what, path, so_far: None })
    }

    /// Empties the file before the first call.
    pub fn begin(&mut self) -> Result<(), Failure> {
        if fs::metadata(&self.path).is_ok_and(|found| found.is_file()) {
            self.write(std::iter::empty())?;
            let appending = OpenOptions::new().append(true).open(&self.path);
            self.so_far = Some(appending.map_err(|error| Failure::io(&self.what, &error))?);
        }
        Ok(())
    }

    /// Adds an item as soon as it has failed.
    pub fn add(&mut self, line: &str) {
        if let Some(file) = &mut self.so_far {
            // Whether all could be written is said at the end.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }

    /// Replaces the content with these lines, or leaves it if that fails.
    pub fn write<'a>(&self, lines: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
        let content: String = lines.flat_map(|line| [line, "\n"]).collect();
        whole_file::write(&self.path, content.as_bytes(), Readers::All)
            .map_err(|error| Failure::io(&self.what, &error))
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
