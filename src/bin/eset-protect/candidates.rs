//! What can be completed without a server.

use std::env;
use std::ffi::OsString;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use eset_protect::params::{ACTIONS, KnownAction};
use eset_protect::wkt::TypeRegistry;
use prost_reflect::{Kind, MessageDescriptor};

use crate::method::Method;
use crate::text::short_name;
use crate::verb::verbs;
use crate::well_known::is_well_known;

/// Returns the arguments of the process. Bash splits `--wire=rest` into three words; the number of words stays.
pub fn arguments() -> Vec<OsString> {
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
pub fn words() -> Vec<String> {
    let words = arguments().into_iter().filter_map(|word| word.into_string().ok());
    words.skip_while(|word| word != "--").skip(2).collect()
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
