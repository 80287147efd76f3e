//! Checks the filters and orders that a request has as text, in ESET's languages.

use eset_protect::descriptors::{Expression, Order, language};
use prost_reflect::Kind;
use serde_json::Value;

use crate::method::Method;
use crate::problem::Problem;

/// Returns what the listed items do not have, or what this version cannot read: ESET may know more. A server may take
/// a misspelt filter for none, and list everything.
pub fn unknown(method: &Method, request: &Value) -> Vec<Problem> {
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
