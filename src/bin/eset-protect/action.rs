//! The action of a task, with a flag for each of its params.

use clap::{ArgMatches, Command};
use eset_protect::automation::v1::Action;
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
    let type_name = KnownAction::find(action).and_then(KnownAction::params_type);
    let params = type_name.and_then(|name| pool().get_message_by_name(&name));
    params
        .map_or_else(Vec::new, |params| Flag::of(&params, Names::Short { arguments: &[] }, others))
}

/// Returns the fields of the request that the flags set, each with its flag, and the others.
pub fn fields(flags: &[Flag], others: &[(&str, &str)]) -> Vec<(String, String)> {
    let field = |flag: &Flag| (format!("task.action.params.{}", flag.path()), flag.name());
    let others = others.iter().map(|(path, flag)| ((*path).to_owned(), (*flag).to_owned()));
    flags.iter().map(field).chain(others).collect()
}

/// Makes an action of its params in JSON, if there are any, and the given flags.
pub fn new(
    name: &str,
    json: Option<&str>,
    flags: &[Flag],
    matches: &ArgMatches,
) -> Result<Action, Failure> {
    let type_name = KnownAction::find(name).and_then(KnownAction::params_type);
    if json.is_none() && type_name.is_none() {
        return Ok(Action::new(name));
    }
    let mut given = flags.iter().filter(|flag| flag.is_given(matches));
    let json = given.try_fold(json.unwrap_or("{}").to_owned(), |json, flag| {
        flag.set(&json, &flag.values(matches)?).map_err(Failure::Input)
    })?;
    let params = any(name, &json, type_name.as_deref());
    let params = params.map_err(|problem| Failure::Input(format!("--params: {problem}")))?;
    Ok(Action { name: name.to_owned(), params: Some(params) })
}

/// Reads params. `@type` may be omitted if the type for the action is known.
fn any(action: &str, json: &str, type_name: Option<&str>) -> Result<Any, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let Value::Object(members) = &value else { return Err("expected a JSON object".to_owned()) };
    let read = |json: &str| serde_json::from_str(json).map_err(|error| error.to_string());
    if members.contains_key("@type") {
        return read(json);
    }
    let Some(type_name) = type_name else {
        let near = near(action, ACTIONS.iter().map(KnownAction::name));
        let meant = near.first().map(|name| format!("; did you mean --action {name}?"));
        return Err(format!(
            "expected `@type`, since the params of the action {action} are not known: \
             {{\"@type\": \"type.googleapis.com/…\", …}}{}",
            meant.unwrap_or_default()
        ));
    };
    // The text is passed on unchanged, so that its numbers stay exact.
    let rest = json.trim_start().strip_prefix('{').unwrap_or_default();
    let comma = if members.is_empty() { "" } else { "," };
    read(&format!("{{\"@type\":\"type.googleapis.com/{type_name}\"{comma}{rest}"))
}
