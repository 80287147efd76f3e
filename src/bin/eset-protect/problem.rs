//! What is wrong in a request, or unknown.

use std::time::SystemTime;

use eset_protect::check::{Check, ProblemKind};

use crate::devices::is_device;

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
    // A device may have its name there, which is no UUID.
    let found = found.filter(|problem| problem.value.is_none() || !is_device(&problem.field));
    let problems = found.map(|problem| {
        let description = problem.description().to_string();
        let is_unknown = problem.kind == ProblemKind::Unknown;
        Problem { field: problem.field, description, is_unknown }
    });
    problems.collect()
}
