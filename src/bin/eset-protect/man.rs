//! `eset-protect man`.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};

use crate::failure::Failure;

/// Write the manual pages of all commands into a directory
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  eset-protect man ~/.local/share/man/man1 && man eset-protect-devices-list")]
pub struct Man {
    /// The directory, which is created if it does not exist
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Man {
    pub fn run(self, command: Command) -> Result<(), Failure> {
        let written = fs::create_dir_all(&self.directory)
            .and_then(|()| clap_mangen::generate_to(command, &self.directory));
        written.map_err(Failure::file(&self.directory))
    }
}
