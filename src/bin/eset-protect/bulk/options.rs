//! Options for many calls.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, refuse};

#[derive(Args, Clone, Debug, Default)]
pub struct BulkOptions {
    /// How many calls to make concurrently; 16 by default
    #[arg(long, value_name = "CALLS", value_parser = concurrency)]
    pub concurrency: Option<usize>,
    /// Write the items to retry to this file, one per line: those that failed and certainly did not run, or
    /// can run twice without harm
    #[arg(long, value_name = "FILE")]
    pub failed: Option<PathBuf>,
    /// Add the items that may have run, and must not run twice, to this file, one per line: look for what each
    /// makes before you send it again
    #[arg(long, value_name = "FILE")]
    pub uncertain: Option<PathBuf>,
}

impl BulkOptions {
    /// Checks that there is a file, because only a file can contain several requests.
    pub fn check(&self, has_file: bool) -> Result<(), Failure> {
        let flags = [
            ("--failed", self.failed.is_some()),
            ("--uncertain", self.uncertain.is_some()),
            ("--concurrency", self.concurrency.is_some()),
        ];
        if has_file { Ok(()) } else { refuse(&flags, "requires --file") }
    }

    /// Whether failures must be recorded exactly, even for a single item.
    pub fn has_file(&self) -> bool {
        self.failed.is_some() || self.uncertain.is_some()
    }
}

fn concurrency(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1024).contains(number));
    number.ok_or_else(|| "expected a whole number from 1 to 1024".to_owned())
}
