//! The files of the items that are left: those to send again, and those that may have run.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::item::Item;
use super::options::BulkOptions;
use super::outcomes::Outcome;
use crate::failure::Failure;

/// The files named by `--failed` and `--uncertain`. An item is added as soon as it is known to be left, for a crash.
#[derive(Debug)]
pub struct Left {
    failed: Option<Lines>,
    uncertain: Option<Lines>,
    is_idempotent: bool,
}

impl Left {
    /// Makes sure that the files can be written but leaves them unchanged, so that a failure before the first call loses
    /// nothing. They must differ from `input`, the file being read.
    pub fn open(
        options: &BulkOptions,
        input: Option<&Path>,
        is_idempotent: bool,
    ) -> Result<Self, Failure> {
        let open = |flag, path: &Option<_>| {
            path.as_deref().map(|path| Lines::open(flag, path, input)).transpose()
        };
        let failed = open("--failed", &options.failed)?;
        let uncertain = open("--uncertain", &options.uncertain)?;
        Ok(Self { failed, uncertain, is_idempotent })
    }

    /// Empties the file of items to send again before the first call. In the other file, those of an earlier run are
    /// still to be looked for.
    pub fn begin(&self) -> Result<(), Failure> {
        self.failed.as_ref().map_or(Ok(()), Lines::clear)
    }

    /// Adds an item to the file where it belongs: those that certainly did not run, or may run twice, are sent again.
    pub fn add(&mut self, item: &Item, outcome: &Outcome) {
        let may_have_run = match outcome {
            Outcome::Done | Outcome::Gone => return,
            Outcome::Failed(error) => error.may_have_executed(),
            Outcome::UnderWay => true,
            Outcome::NotBegun => false,
        };
        let file = match may_have_run && !self.is_idempotent {
            true => &mut self.uncertain,
            false => &mut self.failed,
        };
        if let Some(file) = file {
            file.add(&item.line);
        }
    }

    /// Fails if anything could not be written.
    pub fn end(self) -> Result<(), Failure> {
        [self.failed, self.uncertain].into_iter().flatten().try_for_each(Lines::end)
    }
}

/// A file that lines are added to.
#[derive(Debug)]
struct Lines {
    what: String,
    file: File,
    written: io::Result<()>,
}

impl Lines {
    fn open(flag: &str, path: &Path, input: Option<&Path>) -> Result<Self, Failure> {
        let what = format!("{flag} {}", path.display());
        let wrong = |problem: &str| Failure::Input(format!("{what}: {problem}"));
        if path.as_os_str() == "-" {
            return Err(wrong("expected a file; standard output is used for the responses"));
        }
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|error| wrong(&error.to_string()))?;
        if input.is_some_and(|input| is_same(path, input)) {
            return Err(wrong("expected a different file than the input"));
        }
        Ok(Self { what, file, written: Ok(()) })
    }

    fn clear(&self) -> Result<(), Failure> {
        // A pipe or a device has nothing to remove.
        let is_file = self.file.metadata().is_ok_and(|found| found.is_file());
        let cleared = if is_file { self.file.set_len(0) } else { Ok(()) };
        cleared.map_err(|error| Failure::io(&self.what, &error))
    }

    fn add(&mut self, line: &str) {
        if self.written.is_ok() {
            self.written = self.file.write_all(format!("{line}\n").as_bytes());
        }
    }

    fn end(self) -> Result<(), Failure> {
        self.written.map_err(|error| Failure::io(&self.what, &error))
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
