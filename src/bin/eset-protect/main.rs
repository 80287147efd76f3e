//! The command `eset-protect`: ESET PROTECT over gRPC and REST from a terminal.
#![warn(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod action;
mod assignments;
mod bulk;
mod cli;
mod completions;
mod connection;
mod convert;
mod creates;
mod demo;
mod descriptors;
mod details;
mod duration;
mod emulator;
mod failure;
mod input;
mod listing;
mod logging;
mod output;
mod policies;
mod run;
mod say;
mod stop_signal;
mod style;
mod table;
mod tasks;
mod text;
mod type_name;
mod uuids;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and usage errors. Nobody may be listening; there is nobody to tell then.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::OTHER));
        }
    };
    match cli.logging.start().and_then(|()| cli.command.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            ExitCode::from(failure.exit_code())
        }
    }
}
