//! What is wrong in a request, or unknown.

use std::time::SystemTime;

use eset_protect::check::{Check, ProblemKind};

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
