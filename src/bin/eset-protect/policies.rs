//! `eset-protect policies`.

mod copies;
pub mod create;
mod diff;
mod effective;
mod export;
mod files;
mod folder;
mod journal;
mod rollout;
mod saved;
mod set;
mod settings;
mod targets;
mod view;

use std::ffi::OsString;

use clap::{ArgMatches, Args, Subcommand};

use crate::connection::Connection;
use crate::failure::Failure;

/// Policies: settings for ESET's products
///
/// ESET has no call that updates a policy: `set` and `apply` create a new one at the same ranks and delete the old
/// one. A file of a policy says all that the policy has: what it leaves out, the policy does not have; `plan --help`
/// describes its members. With `--output json`, `get` and
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
    Show(view::Show),
    Export(export::Export),
    Import(copies::Import),
    Diff(diff::Diff),
    Set(set::Set),
    Clone(copies::Clone),
    Search(view::Search),
    Plan(rollout::PlanArgs),
    Apply(rollout::Apply),
    Effective(effective::EffectiveArgs),
}

/// Whether the arguments ask for what ends with 2 to say that there is a difference.
pub fn compares(matches: &ArgMatches) -> bool {
    matches.subcommand_matches("policies").and_then(ArgMatches::subcommand).is_some_and(
        |(verb, matches)| {
            let is_dry = || matches!(matches.try_get_one("dry_run"), Ok(Some(true)));
            matches!(verb, "plan" | "diff") || matches!(verb, "apply" | "set") && is_dry()
        },
    )
}

/// Whether these words may ask for that.
pub fn may_compare(mut words: impl Iterator<Item = OsString>) -> bool {
    words.any(|word| word == "policies") && words.any(|word| word == "plan" || word == "diff")
}

impl Policies {
    pub fn run(self) -> Result<(), Failure> {
        let Self { connection, command } = self;
        match command {
            Command::Show(show) => show.run(connection),
            Command::Export(export) => export.run(connection),
            Command::Import(import) => import.run(connection),
            Command::Diff(diff) => diff.run(connection),
            Command::Set(set) => set.run(connection),
            Command::Clone(clone) => clone.run(connection),
            Command::Search(search) => search.run(connection),
            Command::Plan(plan) => plan.run(connection),
            Command::Apply(apply) => apply.run(connection),
            Command::Effective(effective) => effective.run(connection),
        }
    }
}
