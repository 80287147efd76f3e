//! What is wrong in a request, or unknown.

use std::time::SystemTime;

use eset_protect::check::{Check, ProblemKind};
use eset_protect::descriptors::is_required;
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::Value;

/// Something in a request that is wrong, or that this version does not know.
#[derive(Debug)]
pub struct Problem {
    /// The path of the field, by the names in the `.proto` files.
    pub field: String,
    pub description: String,
    pub is_unknown: bool,
}

/// Checks a message by the library's rules.
pub fn of_rules(message: &impl Check) -> Vec<Problem> {
    let found = message.check(SystemTime::now()).err();
    let problems = found.into_iter().flatten().map(|problem| {
        let description = problem.description().to_string();
        let is_unknown = problem.kind == ProblemKind::Unknown;
        Problem { field: problem.field, description, is_unknown }
    });
    problems.collect()
}

/// Adds each required field that a message lacks, unless a rule has found it already. `at` is the path of the
/// message: empty, or with a dot at its end.
pub fn add_missing(
    problems: &mut Vec<Problem>,
    message: &MessageDescriptor,
    json: &Value,
    at: &str,
) {
    for field in message.fields() {
        let path = format!("{at}{}", field.name());
        let Some(value) = json.get(field.json_name()) else {
            if is_required(&field) && problems.iter().all(|problem| problem.field != path) {
                let description = "expected a value, since the field is required".to_owned();
                problems.push(Problem { field: path, description, is_unknown: false });
            }
            continue;
        };
        let kind = field.kind();
        let Some(inner) = kind.as_message() else { continue };
        match value {
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    add_missing(problems, inner, element, &format!("{path}[{index}]."));
                }
            }
            Value::Object(entries) if field.is_map() => {
                let Kind::Message(inner) = inner.map_entry_value_field().kind() else { continue };
                for (key, entry) in entries {
                    add_missing(problems, &inner, entry, &format!("{path}[{key:?}]."));
                }
            }
            value => add_missing(problems, inner, value, &format!("{path}.")),
        }
    }
}
