//! What is wrong in a request, or unknown.

use std::time::SystemTime;

use eset_protect::check::{Check, ProblemKind};
use eset_protect::descriptors::{Expression, Order, language};
use prost_reflect::Kind;
use serde_json::Value;

use crate::method::Method;
use crate::named::Named;

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
    let found = found.into_iter().flatten();
    // There may be a name, which is no UUID.
    let found =
        found.filter(|problem| problem.value.is_none() || Named::at(&problem.field).is_none());
    let problems = found.map(|problem| {
        let description = problem.description().to_string();
        let is_unknown = problem.kind == ProblemKind::Unknown;
        Problem { field: problem.field, description, is_unknown }
    });
    problems.collect()
}

/// Checks the filters and orders that a request has as text, in ESET's languages: for what the listed items do not have,
/// or what this version cannot read. ESET may know more, but a server may take a misspelt filter for none, and list
/// everything.
pub fn of_filters(method: &Method, request: &Value) -> Vec<Problem> {
    let item = method.item().map(|field| field.kind());
    let Some(item) = item.as_ref().and_then(Kind::as_message) else { return Vec::new() };
    let input = method.input();
    let problem = input.fields().filter_map(|field| {
        let text = request[field.json_name()].as_str().filter(|text| !text.is_empty())?;
        let read = match language(&field) {
            Some(language) => Expression::parse(text, language, item).map(drop),
            None if field.name() == "order_by" => Order::parse(text, item).map(drop),
            None => return None,
        };
        let description = read.err()?;
        Some(Problem { field: field.name().to_owned(), description, is_unknown: true })
    });
    problem.collect()
}
