//! The names in filters and orders that a request has as text, in ESET's languages.

use prost_reflect::Kind;
use serde_json::Value;

use crate::columns::Column;
use crate::method::Method;
use crate::problem::Problem;

/// The fields of requests that have such text.
const FIELDS: [&str; 2] = ["filter", "order_by"];
/// The words of the languages that name no field.
const WORDS: &[&str] = &[
    "and", "asc", "desc", "eq", "false", "ge", "gt", "in", "le", "lt", "ne", "not", "null", "or",
    "true",
];

/// Returns the names that the listed items do not have. A server may take a misspelt filter for none, and list
/// everything.
pub fn unknown_names(method: &Method, request: &Value) -> Vec<Problem> {
    let item = method.item().map(|field| field.kind());
    let Some(item) = item.as_ref().and_then(Kind::as_message) else { return Vec::new() };
    let input = method.input();
    let fields = FIELDS.iter().filter_map(|name| input.get_field_by_name(name));
    let mut problems = Vec::new();
    for field in fields {
        let text = request[field.json_name()].as_str().unwrap_or_default();
        let unknown = paths(text).into_iter().filter_map(|path| Column::find(item, &path).err());
        problems.extend(unknown.map(|description| Problem {
            field: field.name().to_owned(),
            description,
            is_unknown: true,
        }));
    }
    problems
}

/// Returns the paths of fields in a text, without literals, functions and methods.
fn paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if matches!(c, '"' | '\'') {
            while let Some(inner) = rest.next().filter(|inner| *inner != c) {
                if inner == '\\' {
                    rest.next();
                }
            }
        } else if c.is_alphanumeric() || c == '_' {
            let mut word = String::from(c);
            let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '.');
            while let Some(c) = rest.next_if(is_part) {
                word.push(c);
            }
            if rest.peek() == Some(&'(') {
                // Without the name of the function.
                word = word.rsplit_once('.').map_or(String::new(), |(path, _)| path.to_owned());
            }
            let is_name = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
            if is_name && !WORDS.contains(&&*word) {
                paths.push(word);
            }
        }
    }
    paths
}
