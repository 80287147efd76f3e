//! Protects from mistakes: dry runs, confirmations, and items that are gone already.

use std::fmt::Display;

use clap::{ArgMatches, Args, Command};
use eset_protect::Error;
use tonic::Code;

use crate::failure::{self, Failure};
use crate::method::Method;
use crate::phrase::words;
use crate::prompt;
use crate::text::capitalized;

/// The id of the flag.
pub const IGNORE_NOT_FOUND: &str = "ignore_not_found";

/// The options of commands that call one RPC; each command has those that make sense for it.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Safety {
    /// Print the request as it would be sent, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask before several are affected, or one that is in use
    #[arg(short, long)]
    yes: bool,
    /// Succeed if it does not exist
    #[arg(long)]
    pub ignore_not_found: bool,
}

impl Safety {
    pub fn new(dry_run: bool, yes: bool) -> Self {
        Self { dry_run, yes, ..Self::default() }
    }

    /// Whether an error is to be ignored.
    pub fn ignores(self, error: &Error) -> bool {
        self.ignore_not_found && error.code() == Code::NotFound
    }

    /// Adds the options that make sense for a method. `names_one`: its path names one resource; `asks`: the command
    /// asks whatever its method.
    pub fn declare(command: Command, method: &Method, names_one: bool, asks: bool) -> Command {
        let all = Self::augment_args(Command::new(""));
        command.args(all.get_arguments().filter(|arg| match arg.get_id().as_str() {
            "dry_run" => !method.is_reading(),
            "yes" => method.is_removing() || asks,
            _ => names_one,
        }))
    }

    pub fn from_matches(matches: &ArgMatches) -> Self {
        let is_set = |name| matches!(matches.try_get_one::<bool>(name), Ok(Some(true)));
        Self {
            dry_run: is_set("dry_run"),
            yes: is_set("yes"),
            ignore_not_found: is_set(IGNORE_NOT_FOUND),
        }
    }

    /// Asks before a method removes several, or one with everything below it: `Delete 20 tasks? [y/N]`. Without a
    /// terminal, it refuses. `what` is removed, such as `20 tasks`.
    pub fn confirm(
        self,
        method: &Method,
        what: impl Display,
        are_several: bool,
    ) -> Result<(), Failure> {
        let verb = &words(method).0;
        match (method.removes_below(), are_several) {
            (true, false) => self.ask(verb, &format!("{what} and everything below it")),
            (true, true) => self.ask(verb, &format!("{what} and everything below them")),
            (false, true) if method.is_removing() => self.ask(verb, &what.to_string()),
            (false, _) => Ok(()),
        }
    }

    /// Whether it asks before something cannot be undone.
    pub fn asks(self) -> bool {
        !self.yes && !self.dry_run
    }

    /// Asks whether to do something that cannot be undone, such as `delete` and `20 tasks`.
    pub fn ask(self, verb: &str, what: &str) -> Result<(), Failure> {
        if !self.asks() {
            return Ok(());
        }
        let question = format!("{} {what}?", capitalized(verb));
        let Some(answer) = prompt::line(&format!("{question} [y/N] "))? else {
            let problem = "There is no terminal to ask on; --yes confirms it";
            return Err(Failure::Input(format!("{question} {problem}")));
        };
        match &*answer.to_ascii_lowercase() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::ended(failure::OTHER, "not confirmed; nothing was sent")),
        }
    }
}
