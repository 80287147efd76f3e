//! The commands that are nouns, such as `devices`, and their verbs: a verb for each RPC.

use clap::{Args, Command};
use eset_protect::descriptors::{pool, summary};
use eset_protect::rpc::{METHODS, MethodSpec};

use crate::connection::Connection;
use crate::method::Method;
use crate::operation::Operation;
use crate::text::{imperative, short_name};
use crate::verb::{SHORTER, Verb, is_newest, verbs};
use crate::wanted::Wanted;
use crate::{policies, tasks};

/// Adds the nouns, with the verbs of those that are wanted, and the flags of wanted verbs. Changes no verb that
/// the command has already.
pub fn declare(mut command: Command, wanted: &Wanted<'_>) -> Command {
    for Verb { noun, verb, spec } in verbs() {
        if command.find_subcommand(&noun).is_none() {
            let mut added =
                Command::new(&noun).subcommand_required(true).arg_required_else_help(true);
            if wanted.has(&noun) {
                added = Connection::augment_args(added);
            }
            // Not what is said of the options of connections.
            added = added.about(None);
            if has_help(&noun, wanted) {
                added = added.about(about(&noun, spec));
            }
            command = command.subcommand(added);
        }
        let has = command
            .find_subcommand(&noun)
            .is_some_and(|known| known.find_subcommand(&verb).is_some());
        if has || !wanted.has(&noun) {
            continue;
        }
        let added = match find(&noun, &verb) {
            Some(operation) if wanted.has(&verb) => operation.command(&noun, &verb),
            Some(operation) if has_help(&noun, wanted) => {
                Command::new(&verb).about(operation.summary())
            }
            _ => Command::new(&verb),
        };
        command = command.mut_subcommand(&noun, |noun| noun.subcommand(added));
    }
    command
}

/// Whether the help of a noun may be shown: if it is asked for, or if the noun is given without a verb.
fn has_help(noun: &str, wanted: &Wanted<'_>) -> bool {
    let is_wanted = |verb: Verb| verb.noun == noun && wanted.has(&verb.verb);
    wanted.has_help() || (wanted.has(noun) && !verbs().any(is_wanted))
}

/// Returns the operation of a noun and a verb.
pub fn find(noun: &str, verb: &str) -> Option<Operation> {
    let method = Method::of_verb(noun, verb)?;
    Some(match (noun, verb) {
        ("tasks", "create") => Operation::own(method, &tasks::create::CREATE),
        ("policies", "create") => Operation::own(method, &policies::create::NewPolicy),
        _ => Operation::short(method),
    })
}

/// Describes a noun: what its services do.
fn about(noun: &str, spec: &MethodSpec) -> String {
    let services =
        SHORTER.iter().find(|(shorter, ..)| *shorter == noun).map(|(.., services)| *services);
    let own = [short_name(spec.service)];
    let services = services.unwrap_or(&own);
    let all = services.iter().filter_map(|service| {
        let spec =
            METHODS.iter().find(|spec| short_name(spec.service) == *service && is_newest(spec))?;
        let service = pool().get_service_by_name(spec.service)?;
        let about = summary(&service.parent_file(), service.path())?;
        // Its verbs are listed below.
        let about = match about.split_once(": ") {
            Some((managed, _)) if about.starts_with("Manages ") => managed,
            _ => &about,
        };
        Some(imperative(about))
    });
    all.collect::<Vec<_>>().join(". ")
}
