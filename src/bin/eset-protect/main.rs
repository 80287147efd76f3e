//! The command `eset-protect`: ESET PROTECT over gRPC and REST from a terminal.
#![warn(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
// These panic if nobody reads.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod action;
mod api;
mod assigned;
mod auth;
mod bulk;
mod call;
mod calls;
mod candidates;
mod cell;
mod check;
mod cli;
mod columns;
mod completions;
mod connection;
mod convert;
mod demo;
mod descriptors;
mod details;
mod devices;
mod dry_run;
mod emulator;
mod environment;
mod failure;
mod flags;
mod free_text;
mod input;
mod item_filter;
mod items;
mod job;
mod jq;
mod listing;
mod logging;
mod man;
mod method;
mod named;
mod noun;
mod operation;
mod output;
mod phrase;
mod policies;
mod problem;
mod progress;
mod prompt;
mod reader;
mod request;
mod response;
mod run;
mod safety;
mod say;
mod serve;
mod server;
mod sort_key;
mod stderr;
mod stop_signal;
mod style;
mod table;
mod tasks;
mod text;
mod verb;
mod wanted;
mod watch;
mod well_known;
mod whole_file;
mod witness;
mod wording;
mod yaml;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use failure::Failure;

fn main() -> ExitCode {
    if completions::answer(cli::Cli::completed) {
        return ExitCode::SUCCESS;
    }
    let code = run().unwrap_or_else(|failure| {
        failure.report();
        failure.exit_code()
    });
    stderr::finish();
    ExitCode::from(code)
}

fn run() -> Result<u8, Failure> {
    match cli::Cli::read() {
        Ok(cli) => {
            let is_server = matches!(cli.command, cli::Command::Serve(_));
            let _exporting = cli.logging.start(is_server)?;
            match cli.command.run() {
                Ok(()) => Ok(0),
                Err(failure) if cli.compares => Err(failure.of_comparison()),
                Err(failure) => Err(failure),
            }
        }
        // Requested help.
        Err(help) if !help.use_stderr() => {
            let printed = help.print().and_then(|()| io::stdout().flush());
            printed.map_err(|error| output::write_failure(&error))?;
            Ok(0)
        }
        Err(usage) => {
            // Without a reader there is nobody to report to.
            drop(usage.print());
            let understood = cli::Cli::understood();
            let is_noun_unknown =
                usage.kind() == ErrorKind::InvalidSubcommand && understood.subcommand().is_none();
            if is_noun_unknown && !cfg!(feature = "all-services") {
                let hosts: Vec<_> = api::hosts().into_iter().collect();
                say::say(&format!(
                    "hint: of ESET's services, this build has {}; the feature all-services adds the others",
                    hosts.join(", ")
                ));
            }
            let code = u8::try_from(usage.exit_code()).unwrap_or(failure::OTHER);
            // Nothing is understood after an option that does not exist.
            let compares = policies::compares(&understood) || policies::may_compare(env::args_os());
            Ok(if compares { failure::OTHER } else { code })
        }
    }
}
