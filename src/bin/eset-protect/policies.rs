//! `eset-protect policies`.

mod create;

use clap::{Args, Subcommand};

use crate::connection::Connection;
use crate::failure::Failure;

/// Policies: settings for ESET's products
///
/// Policies cannot be updated: create a new one and delete the old one. With `--output json`, `get` and
/// `create` print the response, `{"policy": {…}}`, and `list` prints one policy per line: ProtoJSON in both
/// cases, including defaults such as `false` and `""`. `create --file` reads the output of `get` and `list`,
/// so together they make copies. `get`, `delete` and `create --file` accept several; each response is then a
/// line, in the order of the input.
#[derive(Args, Debug)]
pub struct Policies {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Create),
}

impl Policies {
    pub fn run(self) -> Result<(), Failure> {
        let Self { connection, command } = self;
        match command {
            Command::Create(create) => create.run(connection),
        }
    }
}
