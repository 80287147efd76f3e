//! `eset-protect tasks`.

pub mod create;
pub mod wait;

use clap::{Args, Subcommand};

use crate::connection::Connection;
use crate::failure::Failure;

/// Tasks on devices, and their runs
///
/// With `--output json`, `get` and `create` print the response, `{"task": {…}}`, and lists print one task or
/// run per line: ProtoJSON in both cases, including defaults such as `false` and `""`. `create --file` reads
/// the output of `get` and `list`. `wait` prints a line for each run when it has ended. `get`, `delete` and
/// `create --file` accept several; each response is then a line, in the order of the input.
#[derive(Args, Debug)]
pub struct Tasks {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Wait(wait::Wait),
}

impl Tasks {
    pub fn run(self) -> Result<(), Failure> {
        let Command::Wait(wait) = self.command;
        wait.run(self.connection)
    }
}
