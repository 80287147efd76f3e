//! `eset-protect completions`, and what the shells ask for while a command is typed.

use std::env;
use std::ffi::OsString;
use std::time::Duration;

use clap::{Arg, Args, Command, FromArgMatches};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use eset_protect::params::{ACTIONS, KnownAction};
use eset_protect::wkt::TypeRegistry;
use futures_util::StreamExt;
use prost_reflect::{Kind, MessageDescriptor};

use crate::calls::{pages, parse};
use crate::connection::Connection;
use crate::devices::is_device;
use crate::failure::Failure;
use crate::method::Method;
use crate::output::Output;
use crate::run::block_on;
use crate::text::short_name;
use crate::verb::verbs;
use crate::well_known::is_well_known;

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

/// Returns the arguments of the process. Bash splits `--wire=rest` into three words; the number of words stays.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<_> = env::args_os().collect();
    for index in 1..arguments.len() {
        if arguments[index] == "=" && index + 1 < arguments.len() {
            arguments.swap(index - 1, index);
            arguments[index - 1] = "-v".into();
        }
    }
    arguments
}

/// Returns the words that were typed.
fn words() -> Vec<String> {
    let words = arguments().into_iter().filter_map(|word| word.into_string().ok());
    words.skip_while(|word| word != "--").skip(2).collect()
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
        if is_device(field) { Self::NameOrUuid } else { Self::Uuid }
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

/// Completes the actions of tasks.
pub fn actions() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let candidate = |action: &KnownAction| {
            CompletionCandidate::new(action.name()).help(Some(action.about().into()))
        };
        ACTIONS.iter().map(candidate).collect()
    })
}

/// Completes the paths of the fields that the typed command shows.
pub fn fields() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let shown = typed_method().and_then(|method| method.item());
        let kind = shown.map(|field| field.kind());
        let message = kind.as_ref().and_then(Kind::as_message);
        let fields = message.into_iter().flat_map(MessageDescriptor::fields).flat_map(|field| {
            let kind = field.kind();
            let inner = kind.as_message().filter(|inner| !is_well_known(inner) && !field.is_map());
            let name = field.name().to_owned();
            let fields = inner.into_iter().flat_map(MessageDescriptor::fields);
            let paths = fields.map(|inner| format!("{name}.{}", inner.name())).collect::<Vec<_>>();
            std::iter::once(name).chain(paths)
        });
        fields.map(CompletionCandidate::new).collect()
    })
}

/// Returns the RPC of the noun and verb that are typed.
fn typed_method() -> Option<Method> {
    let words = words();
    let mut words = words.iter().filter(|word| !word.starts_with('-'));
    let noun = words.find(|word| verbs().any(|verb| verb.noun == **word))?;
    words.find_map(|word| Method::of_verb(noun, word))
}

/// Completes the types of messages: by the last parts of their names, or in full once there is a dot.
pub fn types() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names = TypeRegistry::default().names();
        let is_full = words().pop().is_some_and(|word| word.contains('.'));
        let shown = |name: &String| match is_full {
            true => name.clone(),
            false => short_name(name).to_owned(),
        };
        names.iter().map(shown).map(CompletionCandidate::new).collect()
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
    let Ok(builder) = connection.builder_without_prompt() else { return found };
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
