//! The command line.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::call::Call;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::logging::Logging;
use crate::operation::Operation;
use crate::wanted::Wanted;
use crate::{
    api, auth, completions, convert, demo, descriptors, emulator, free_text, job, man, noun,
    policies, serve, tasks,
};

const NOTES: &str = include_str!("notes.txt").trim_ascii_end();

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
    /// Whether the exit code 2 says that there is a difference.
    #[arg(skip)]
    pub compares: bool,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Parses the arguments of the process.
    pub fn read() -> Result<Self, clap::Error> {
        let arguments: Vec<_> = std::env::args_os().collect();
        let own = Self::command();
        let mut command = Self::declared_for(own.clone(), &arguments);
        let matches = command
            .try_get_matches_from_mut(in_order(&command, arguments.clone()))
            .map_err(|error| with_flag(error, &mut command, &arguments))?;
        free_text::check(&command, &matches)?;
        let logging = Logging::from_arg_matches(&matches)?;
        let Some((name, inner)) = matches.subcommand() else {
            return Self::from_arg_matches(&matches);
        };
        let compares = policies::compares(&matches);
        let run = |operation, matches: &ArgMatches| {
            let command = Command::Operation(operation, matches.clone());
            Ok(Self { logging, compares, command })
        };
        if let Some(operation) = job::find(name) {
            return run(operation, inner);
        }
        let own = own.find_subcommand(name);
        let is_own = |verb: &str| own.is_some_and(|own| own.find_subcommand(verb).is_some());
        let Some((verb, inner)) = inner.subcommand().filter(|(verb, _)| !is_own(verb)) else {
            let cli = Self::from_arg_matches(&matches);
            return cli
                .map(|cli| Self { compares, ..cli })
                .map_err(|error| error.format(&mut command));
        };
        let operation = match name {
            "call" => Operation::find(verb),
            noun => noun::find(noun, verb).ok_or_else(|| format!("there is no {noun} {verb}")),
        };
        let wrong = |problem| command.error(ErrorKind::InvalidSubcommand, problem);
        run(operation.map_err(wrong)?, inner)
    }

    /// Returns the part of the process's arguments that is valid.
    pub fn understood() -> ArgMatches {
        let arguments: Vec<_> = std::env::args_os().collect();
        let command = Self::declared_for(Self::command(), &arguments).ignore_errors(true);
        let arguments = in_order(&command, arguments);
        command.try_get_matches_from(arguments).unwrap_or_default()
    }

    fn declared_for(command: clap::Command, arguments: &[OsString]) -> clap::Command {
        let words = arguments.iter().skip(1).filter_map(|word| word.to_str());
        Self::declared(command, &Wanted::Words(words.collect()))
    }

    /// Adds the nouns and the jobs to the command. Their verbs and flags take long to make: only those that
    /// are wanted.
    fn declared(command: clap::Command, wanted: &Wanted<'_>) -> clap::Command {
        job::declare(Call::declare(noun::declare(command, wanted), wanted), wanted)
    }

    /// Returns the command with what completes these words.
    pub fn completed(words: &[String]) -> clap::Command {
        let words = words.iter().map(|word| &**word).chain(["help"]);
        Self::declared(Self::command(), &Wanted::Words(words.collect()))
    }

    /// Returns the command with every subcommand and flag.
    pub fn whole() -> clap::Command {
        Self::declared(Self::command(), &Wanted::All)
    }
}

/// Names the flag whose value is not UTF-8, which clap does not.
fn with_flag(error: clap::Error, command: &mut clap::Command, words: &[OsString]) -> clap::Error {
    let wrong = words.iter().position(|word| word.to_str().is_none());
    let (ErrorKind::InvalidUtf8, Some(at)) = (error.kind(), wrong) else { return error };
    let word = words[at].to_string_lossy();
    let (flag, value) = match word.split_once('=').filter(|_| word.starts_with("--")) {
        Some((flag, value)) => (Some(flag), value),
        None => (at.checked_sub(1).and_then(|before| words[before].to_str()), &*word),
    };
    let flag = flag.filter(|flag| flag.starts_with('-'));
    let place = flag.map(|flag| format!(" for '{flag}'")).unwrap_or_default();
    let message = format!("invalid value {value:?}{place}: expected UTF-8");
    command.error(ErrorKind::InvalidUtf8, message)
}

/// Moves options that come before the subcommand, such as `--profile lab devices list`, after it, since only
/// subcommands have them.
fn in_order(command: &clap::Command, mut arguments: Vec<OsString>) -> Vec<OsString> {
    let options = Connection::augment_args(Logging::augment_args(clap::Command::new("")));
    let takes_value = |word: &str| {
        let is_it = |arg: &&clap::Arg| {
            let short = arg.get_short().map(|short| format!("-{short}"));
            short.as_deref() == Some(word)
                || (arg.get_long().is_some() && arg.get_long() == word.strip_prefix("--"))
        };
        options.get_arguments().find(is_it).is_some_and(|arg| arg.get_action().takes_values())
    };
    let mut at = 1;
    while let Some(word) = arguments.get(at).and_then(|word| word.to_str())
        && word.starts_with('-')
    {
        at += if takes_value(word) { 2 } else { 1 };
    }
    if arguments.get(at).is_some_and(|word| command.find_subcommand(word).is_some()) {
        arguments[1..=at].rotate_right(1);
    }
    arguments
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Demo),
    Emulator(emulator::Args),
    Serve(serve::Serve),
    Tasks(tasks::Tasks),
    Policies(policies::Policies),
    Auth(auth::Auth),
    Api(api::Api),
    Call(Call),
    /// An RPC, by noun and verb, by its own name or as a job, and its arguments.
    #[command(skip)]
    Operation(Operation, ArgMatches),
    Convert(convert::Convert),
    Descriptors(descriptors::Descriptors),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Demo(command) => command.run(),
            Self::Emulator(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Tasks(command) => command.run(),
            Self::Policies(command) => command.run(),
            Self::Auth(command) => command.run(),
            Self::Api(command) => command.run(),
            Self::Call(command) => command.run(),
            Self::Operation(operation, matches) => operation.run(&matches),
            Self::Convert(command) => command.run(),
            Self::Descriptors(command) => command.run(),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(Cli::whole()),
        }
    }
}
