//! The command line.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::call::Call;
use crate::failure::Failure;
use crate::job::Job;
use crate::logging::Logging;
use crate::operation::Operation;
use crate::{
    completions, convert, demo, descriptors, emulator, free_text, noun, policies, serve, tasks,
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

/// ESET PROTECT over gRPC and REST: devices, tasks, policies and all other services, in the cloud, On-Prem and
/// on your own servers; an emulator; conversion between ProtoJSON and binary protobuf.
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
        let arguments: Vec<_> = std::env::args_os().collect();
        let mut declared = Job::declare(noun::declare(Self::command()), |_| false);
        let matches = match declared.try_get_matches_from_mut(&arguments) {
            Ok(matches) => matches,
            Err(error) if error.kind() == ErrorKind::DisplayVersion => return Err(error),
            Err(_) => return Self::described(arguments),
        };
        if let Some((name, _)) = matches.subcommand()
            && let Some(job) = Job::find(name)
        {
            let mut command = Job::declare(Self::command(), |known| known == name);
            let matches = command.try_get_matches_from_mut(arguments)?;
            free_text::check(&command, &matches)?;
            let logging = Logging::from_arg_matches(&matches)?;
            let inner = matches.subcommand().map(|(_, matches)| matches.clone());
            return Ok(Self { logging, command: Command::Job(job, inner.unwrap_or_default()) });
        }
        let Some((name, verb)) = chosen(&matches) else { return Self::of(declared, &matches) };
        let noun = declared.find_subcommand(name);
        if noun.is_some_and(|noun| noun.find_subcommand(verb).is_some()) {
            return Self::of(declared, &matches);
        }
        let operation = match name {
            "call" => Some(Operation::find(verb).map_err(|problem| {
                declared.clone().error(ErrorKind::InvalidSubcommand, problem)
            })?),
            noun => noun::find(noun, verb),
        };
        match operation {
            Some(operation) => {
                Self::operate(noun::declare(Self::command()), name, verb, operation, &arguments)
            }
            None => Self::described(arguments),
        }
    }

    /// Returns the command with every subcommand and flag.
    fn whole() -> clap::Command {
        Job::declare(noun::describe(Self::command()), |_| true)
    }

    /// Parses arguments that ask for help or contain a mistake: both need to know every command.
    fn described(arguments: Vec<OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::whole();
        let matches = command.try_get_matches_from_mut(arguments)?;
        Self::of(command, &matches)
    }

    /// Parses the arguments again, with the flags of an operation.
    fn operate(
        command: clap::Command,
        name: &str,
        verb: &str,
        operation: Operation,
        arguments: &[OsString],
    ) -> Result<Self, clap::Error> {
        let mut command = command.mut_subcommand(name, |noun| {
            noun.allow_external_subcommands(false).subcommand(operation.command(verb))
        });
        let matches = command.try_get_matches_from_mut(arguments)?;
        free_text::check(&command, &matches)?;
        let inner = matches.subcommand().and_then(|(_, matches)| matches.subcommand());
        let inner = inner.map(|(_, matches)| matches.clone()).unwrap_or_default();
        let logging = Logging::from_arg_matches(&matches)?;
        Ok(Self { logging, command: Command::Operation(operation, inner) })
    }

    fn of(mut command: clap::Command, matches: &ArgMatches) -> Result<Self, clap::Error> {
        free_text::check(&command, matches)?;
        Self::from_arg_matches(matches).map_err(|error| error.format(&mut command))
    }
}

/// Returns the command and its subcommand.
fn chosen(matches: &ArgMatches) -> Option<(&str, &str)> {
    let (name, matches) = matches.subcommand()?;
    Some((name, matches.subcommand_name()?))
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Demo),
    Emulator(emulator::Args),
    Serve(serve::Serve),
    Tasks(tasks::Tasks),
    Policies(policies::Policies),
    Call(Call),
    /// An RPC, by noun and verb or by its own name, and its arguments.
    #[command(skip)]
    Operation(Operation, ArgMatches),
    /// A job on devices, and its arguments.
    #[command(skip)]
    Job(&'static Job, ArgMatches),
    Convert(convert::Convert),
    Descriptors(descriptors::Descriptors),
    Completions(completions::Completions),
}

impl Command {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Demo(command) => command.run(),
            Self::Emulator(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Tasks(command) => command.run(),
            Self::Policies(command) => command.run(),
            Self::Call(_) => Call::run(),
            Self::Job(job, matches) => job.run(&matches),
            Self::Operation(operation, matches) => operation.run(&matches),
            Self::Convert(command) => command.run(),
            Self::Descriptors(command) => command.run(),
            Self::Completions(command) => command.run(Call::completed(Cli::whole())),
        }
    }
}
