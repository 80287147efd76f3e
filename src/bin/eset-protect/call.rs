//! `eset-protect call`: every RPC, by its own name.

use clap::{Args, Command};
use clap_complete::engine::{CompletionCandidate, SubcommandCandidates};
use serde_json::json;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::items::Items;
use crate::method::Method;
use crate::operation::Operation;
use crate::wanted::Wanted;

const NAME: &str = "call";

/// Call any RPC, with flags for the fields of its request
///
/// Without an RPC this lists all of them. `eset-protect call SERVICE/METHOD --help` lists the flags of one,
/// and `--skeleton` prints its request to fill in. SERVICE is a short or a full name; the case of letters
/// does not matter, nor do hyphens, so device-tasks/get-task is DeviceTasks/GetTask.
///
/// A list prints all of its pages. With `--output json` it prints one item a line, and any other call its
/// response.
#[derive(Args, Debug)]
#[command(
    allow_external_subcommands = true,
    disable_help_subcommand = true,
    override_usage = "eset-protect call [OPTIONS] [SERVICE/METHOD [JSON | @FILE | -] [FLAGS]]",
    after_help = "\
Examples:
  eset-protect call
  eset-protect call DeviceTasks/GetTask --task-uuid UUID
  eset-protect call DeviceTasks/CreateTask --skeleton > task.json
  eset-protect call DeviceTasks/CreateTask @task.json --task.display-name Scan
  eset-protect call policies/list-policies --limit 5 --output json"
)]
pub struct Call {
    #[command(flatten)]
    connection: Connection,
}

impl Call {
    /// Adds the RPC that is wanted; completions offer the names of all.
    pub fn declare(command: Command, wanted: &Wanted<'_>) -> Command {
        if !wanted.has(NAME) {
            return command;
        }
        let found = wanted.words().filter_map(|word| Some((word, Operation::find(word).ok()?)));
        command.mut_subcommand(NAME, |call| {
            let named = found.map(|(word, operation)| operation.command(NAME, word));
            call.subcommands(named.collect::<Vec<_>>()).add(SubcommandCandidates::new(|| {
                Method::all()
                    .map(|method| {
                        CompletionCandidate::new(method.name()).help(Some(method.summary().into()))
                    })
                    .collect()
            }))
        })
    }

    /// Prints all RPCs.
    pub fn run(self) -> Result<(), Failure> {
        let view = self.connection.view()?;
        let mut items = Items::named(&["name", "command", "summary"], &view)?;
        let width = Method::all().map(|method| method.name().len()).max().unwrap_or_default();
        for method in Method::all() {
            let (name, summary) = (method.name(), method.summary());
            let value = json!({ "name": name, "command": method.command(), "summary": summary });
            items.push_own(&value, |output| {
                output.line(&format!("{name:width$}  {}", output.style.dim(&summary)))
            })?;
        }
        items.end_own("RPCs")
    }
}
