//! The action of a task, with a flag for each of its params.

use clap::{ArgMatches, Command};
use eset_protect::codegen::near;
use eset_protect::descriptors::pool;
use eset_protect::params::{ACTIONS, KnownAction};
use eset_protect::wkt::Any;
use serde_json::Value;

use crate::failure::Failure;
use crate::flags::{Flag, Names};

/// The heading of the flags in help texts.
pub const HEADING: &str = "Params of the action";

/// Returns the long help of `--action`.
pub fn help() -> String {
    let width = ACTIONS.iter().map(|action| action.name().len()).max().unwrap_or_default();
    let lines =
        ACTIONS.iter().map(|action| format!("  {:width$}  {}", action.name(), action.about()));
    format!(
        "What to do:\n\n{}\n\nOther names require --allow-unknown, except ESET's full gRPC names.",
        lines.collect::<Vec<_>>().join("\n")
    )
}

/// Returns the flags for the params of an action. None has the name of a flag of `others`.
pub fn flags(action: &str, others: &Command) -> Vec<Flag> {
    let params = params_type(action).and_then(|name| pool().get_message_by_name(&name));
    params
        .map_or_else(Vec::new, |params| Flag::of(&params, Names::Short { arguments: &[] }, others))
}

fn params_type(action: &str) -> Option<String> {
    KnownAction::find(action).and_then(KnownAction::params_type)
}

/// Returns the params of an action, if it has any: those in JSON, if they are given, and the given flags.
pub fn params(
    action: &str,
    json: Option<&str>,
    flags: &[Flag],
    matches: &ArgMatches,
) -> Result<Option<String>, Failure> {
    let type_name = params_type(action);
    if json.is_none() && type_name.is_none() {
        return Ok(None);
    }
    let mut given = flags.iter().filter(|flag| flag.is_given(matches));
    let json = given.try_fold(json.unwrap_or("{}").to_owned(), |json, flag| {
        flag.set(&json, &flag.values(matches)?).map_err(Failure::Input)
    })?;
    let params = with_type(action, &json, type_name.as_deref());
    params.map(Some).map_err(|problem| Failure::of("--params", problem))
}

/// Adds the `@type` of params, which may be omitted if the type for the action is known, and checks them.
fn with_type(action: &str, json: &str, type_name: Option<&str>) -> Result<String, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let Value::Object(members) = &value else { return Err("expected a JSON object".to_owned()) };
    let json = match (members.contains_key("@type"), type_name) {
        (true, _) => json.to_owned(),
        (false, Some(type_name)) => {
            // The text is passed on unchanged, so that its numbers stay exact.
            let rest = json.trim_start().strip_prefix('{').unwrap_or_default();
            let comma = if members.is_empty() { "" } else { "," };
            format!("{{\"@type\":\"type.googleapis.com/{type_name}\"{comma}{rest}")
        }
        (false, None) => {
            let near = near(action, ACTIONS.iter().map(KnownAction::name));
            let meant = near.first().map(|name| format!("; did you mean --action {name}?"));
            return Err(format!(
                "expected `@type`, since the params of the action {action} are not known: \
                 {{\"@type\": \"type.googleapis.com/…\", …}}{}",
                meant.unwrap_or_default()
            ));
        }
    };
    serde_json::from_str::<Any>(&json).map_err(|error| error.to_string())?;
    Ok(json)
}
