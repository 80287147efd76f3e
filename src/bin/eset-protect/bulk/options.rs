//! How many calls are made.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failed_file::FailedFile;
use crate::failure::Failure;

#[derive(Args, Clone, Debug, Default)]
pub struct BulkOptions {
    /// How many calls of many are under way at once; 16 if not given
    #[arg(long, value_name = "CALLS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: Option<u16>,
    /// Write here, for another try, a line for each of many that failed and did not run for certain, or
    /// does no harm when it runs twice
    #[arg(long, value_name = "FILE")]
    failed: Option<PathBuf>,
}

impl BulkOptions {
    /// Looks whether there is a file, which alone can hold many.
    pub fn check(&self, has_file: bool) -> Result<(), Failure> {
        match self.given() {
            Some(flag) if !has_file => {
                Err(Failure::Input(format!("{flag}: expected --file beside it")))
            }
            _ => Ok(()),
        }
    }

    /// A flag that was given.
    fn given(&self) -> Option<&'static str> {
        let failed = self.failed.as_ref().map(|_| "--failed");
        failed.or(self.concurrency.map(|_| "--concurrency"))
    }

    /// Whether somebody wants to know exactly what failed, also of one.
    pub fn has_failed_file(&self) -> bool {
        self.failed.is_some()
    }

    /// Opens what they name; `input` is what is read.
    pub fn settings(&self, input: Option<&Path>) -> Result<BulkSettings, Failure> {
        let failed = self.failed.as_deref().map(|path| FailedFile::open(path, input));
        Ok(BulkSettings { concurrency: self.concurrency, failed: failed.transpose()? })
    }
}

/// What the options say, with an open file.
#[derive(Debug)]
pub struct BulkSettings {
    concurrency: Option<u16>,
    failed: Option<FailedFile>,
}

impl BulkSettings {
    /// How many calls are under way at once; the library's number if None.
    pub fn concurrency(&self) -> Option<usize> {
        self.concurrency.map(usize::from)
    }

    /// Forgets what failed before.
    pub fn begin(&mut self) -> Result<(), Failure> {
        self.write_failed(std::iter::empty())
    }

    /// Writes what to try again, if anybody wants it.
    pub fn write_failed<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a str>,
    ) -> Result<(), Failure> {
        match &mut self.failed {
            Some(file) => file.write(lines),
            None => Ok(()),
        }
    }
}
