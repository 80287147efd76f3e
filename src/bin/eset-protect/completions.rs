//! `eset-protect completions`, and what the shells ask for while a command is typed.

use std::env;
use std::time::Duration;

use clap::{Arg, Args, Command, FromArgMatches};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use futures_util::StreamExt;

use crate::calls::{pages, parse};
use crate::candidates::{arguments, words};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::method::Method;
use crate::named::Named;
use crate::output::Output;
use crate::run::block_on;

/// Print completions for a shell
///
/// Besides commands and flags, they offer the devices, policies and other resources of the server that flags,
/// environment or profile name, if it answers within two seconds.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect completions bash > ~/.local/share/bash-completion/completions/eset-protect
  eset-protect completions zsh > ~/.zfunc/_eset-protect
  eset-protect completions fish > ~/.config/fish/completions/eset-protect.fish")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

const NAME: &str = "eset-protect";
/// The variable by which the scripts ask.
const VARIABLE: &str = "ESET_PROTECT_COMPLETE";
/// People do not wait longer for a word.
const MOMENT: Duration = Duration::from_secs(2);

impl Completions {
    pub fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        if let Some(shell) = Shells::builtins().completer(&self.shell.to_string()) {
            let written = shell.write_registration(VARIABLE, NAME, NAME, NAME, &mut script);
            written.map_err(|error| Failure::io("the script", &error))?;
        }
        let mut output = Output::new();
        output.bytes(&script)?;
        output.flush()
    }
}

/// Answers a shell, if one asks. Errors would appear between what is typed.
pub fn answer(command: impl Fn(&[String]) -> Command) -> bool {
    let completion = CompleteEnv::with_factory(|| command(&words())).var(VARIABLE);
    env::var_os(VARIABLE).is_some()
        && completion.try_complete(arguments(), env::current_dir().ok().as_deref()).unwrap_or(true)
}

/// What a resource is completed to.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// By its name, or by its UUID once that has begun.
    NameOrUuid,
    Uuid,
}

impl By {
    /// Returns what names the resource in a field.
    pub fn of(field: &str) -> Self {
        // Names of policies have spaces, and a shell would take each word for an argument.
        if Named::at(field) == Some(Named::Device) { Self::NameOrUuid } else { Self::Uuid }
    }
}

/// Completes the resources that a noun lists.
pub fn listed(noun: &str, by: By) -> ArgValueCandidates {
    let noun = noun.to_owned();
    ArgValueCandidates::new(move || {
        // Only the groups of devices have shorter names as nouns than as fields.
        let shorter = noun.strip_prefix("device-").unwrap_or(&noun);
        let list = Method::of_verb(&noun, "list").or_else(|| Method::of_verb(shorter, "list"));
        list.map(|list| resources(&list, by)).unwrap_or_default()
    })
}

/// Returns the resources of a list; none if the server does not answer in time.
fn resources(list: &Method, by: By) -> Vec<CompletionCandidate> {
    let mut found = Vec::new();
    // Of the whole command, only these options matter here.
    let options = Connection::augment_args(Command::new(NAME).ignore_errors(true));
    let options = options.arg(Arg::new("").num_args(0..));
    let word = words().pop().unwrap_or_default();
    let typed = [NAME.to_owned()].into_iter().chain(words());
    let Ok(matches) = options.try_get_matches_from(typed) else { return found };
    let Ok(connection) = Connection::from_arg_matches(&matches) else { return found };
    let Ok(builder) = connection.upstream.builder_without_prompt() else { return found };
    // What fails or takes too long offers nothing.
    let _ = block_on(async {
        let client = builder.connect_lazy()?;
        let mut pages = pages(&client, list, "{}", None)?;
        if let Ok(Some(page)) = tokio::time::timeout(MOMENT, pages.next()).await {
            for item in page? {
                let item = parse(&item)?;
                let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
                let (uuid, name) = (text("uuid"), text("displayName"));
                if matches!(by, By::NameOrUuid) && !name.is_empty() {
                    let candidate = CompletionCandidate::new(name.clone());
                    found.push(candidate.help(Some(uuid.clone().into())));
                    // Before the first letter, UUIDs would only hide the names.
                    if word.is_empty() {
                        continue;
                    }
                }
                found.push(CompletionCandidate::new(uuid).help(Some(name.into())));
            }
        }
        Ok(())
    });
    found
}
