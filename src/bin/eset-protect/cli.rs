//! The command line.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::call::Call;
use crate::failure::Failure;
use crate::logging::Logging;
use crate::{
    assignments, completions, convert, demo, descriptors, emulator, free_text, policies, tasks,
};

const NOTES: &str = "\
Proxies: HTTPS_PROXY, HTTP_PROXY and ALL_PROXY name one, as http://[USER:PASSWORD@]HOST[:PORT];
NO_PROXY names what is reached without it, and this machine always is.

Exit codes:
  0  done (also when the reader of a pipe has had enough, unless something was created)
  1  anything else
  2  wrong arguments or input, here or by the service (INVALID_ARGUMENT, OUT_OF_RANGE)
  3  no connection (UNAVAILABLE, a connection that broke)
  4  not found (NOT_FOUND)
  5  no or wrong credentials, or not allowed (UNAUTHENTICATED, PERMISSION_DENIED)
  6  out of time (DEADLINE_EXCEEDED)
  7  not in this state (FAILED_PRECONDITION, ALREADY_EXISTS, ABORTED)
  8  over a limit (RESOURCE_EXHAUSTED, a message that is too large)
  9  the task that was waited for did not end well on all of its devices
130  stopped by Ctrl-C or SIGTERM while waiting for a task, or before many were done; nobody reads
     any more what the waiting prints
Of many (uuids, requests) it is that of the first that failed, in the order given.";

/// ESET PROTECT over gRPC and REST: tasks, policies and assignments in the cloud, On-Prem and on your own
/// servers; an emulator; conversion between ProtoJSON and binary protobuf.
///
/// Start with `eset-protect demo`.
#[derive(Debug, Parser)]
#[command(
    name = "eset-protect",
    version,
    after_help = NOTES,
    max_term_width = 100,
    propagate_version = true
)]
pub struct Cli {
    #[command(flatten)]
    pub logging: Logging,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Parses the arguments of the process.
    pub fn read() -> Result<Self, clap::Error> {
        let mut arguments: Vec<_> = std::env::args_os().collect();
        let mut command = Self::command();
        let mut matches = command.clone().try_get_matches_from_mut(&arguments)?;
        if let Some(("call", call)) = matches.subcommand() {
            // The flags of an RPC are known when its name is.
            (command, arguments) = Call::choose(command, call, arguments)?;
        }
        matches = command.try_get_matches_from_mut(arguments)?;
        free_text::check(&command, &matches)?;
        let mut cli =
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        if let (Command::Call(call), Some((_, matches))) = (&mut cli.command, matches.subcommand())
        {
            call.set_chosen(matches);
        }
        Ok(cli)
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Demo),
    Emulator(emulator::Args),
    Tasks(tasks::Tasks),
    Policies(policies::Policies),
    Assignments(assignments::Assignments),
    Call(Call),
    Convert(convert::Convert),
    Descriptors(descriptors::Descriptors),
    Completions(completions::Completions),
}

impl Command {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Demo(command) => command.run(),
            Self::Emulator(command) => command.run(),
            Self::Tasks(command) => command.run(),
            Self::Policies(command) => command.run(),
            Self::Assignments(command) => command.run(),
            Self::Call(command) => command.run(),
            Self::Convert(command) => command.run(),
            Self::Descriptors(command) => command.run(),
            Self::Completions(command) => command.run(Call::completed(Cli::command())),
        }
    }
}
