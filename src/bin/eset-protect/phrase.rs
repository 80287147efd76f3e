//! Methods in plain words: what a call does, has done, and to what.

use crate::method::Method;
use crate::text::{capitalized, kebab, singular};

/// Returns `Deleted 2 tasks`, or `Deleted the task` for `DeleteTask` if it is not said what.
pub fn done(method: &Method, what: Option<&str>) -> String {
    let whole = words(method).1.map(|objects| format!("the {objects}"));
    let what = what.or(whole.as_deref()).unwrap_or_default();
    format!("{} {what}", capitalized(&past(method)))
}

/// Returns what one call is for: `task` for `DeleteTask`.
pub fn object(method: &Method) -> String {
    words(method).1.map_or("item".to_owned(), |objects| singular(&objects))
}

/// Returns the verb of a method and what it is for: `delete` and `tasks` for `BatchDeleteTasks`.
pub fn words(method: &Method) -> (String, Option<String>) {
    let words = kebab(method.spec.method).trim_start_matches("batch-").replace('-', " ");
    match words.split_once(' ') {
        Some((verb, objects)) => (verb.to_owned(), Some(objects.to_owned())),
        None => (words, None),
    }
}

/// Returns the past tense of a method's verb: `deleted` for `DeleteTask`, and `shown` for `GetTask`.
pub fn past(method: &Method) -> String {
    match &*words(method).0 {
        "get" | "list" | "" => "shown".to_owned(),
        verb if verb.ends_with('e') => format!("{verb}d"),
        verb => format!("{verb}ed"),
    }
}
