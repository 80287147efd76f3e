//! Writes the file of items that may have run and must not run twice.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::failure::Failure;

/// The file named by `--uncertain`. Lines are added to it, since those of an earlier run are still to be looked for.
#[derive(Debug)]
pub struct UncertainFile {
    what: String,
    file: File,
}

impl UncertainFile {
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let what = format!("--uncertain {}", path.display());
        let opened = OpenOptions::new().append(true).create(true).open(path);
        let file = opened.map_err(|error| Failure::Input(format!("{what}: {error}")))?;
        Ok(Self { what, file })
    }

    pub fn add<'a>(mut self, lines: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
        let lines: String = lines.flat_map(|line| [line, "\n"]).collect();
        let written = self.file.write_all(lines.as_bytes());
        written.map_err(|error| Failure::io(&self.what, &error))
    }
}
