//! Checks requests before anything is sent.

use clap::Args;
use eset_protect::check::{Problem, ProblemKind};

use crate::failure::Failure;
use crate::input::Requests;
use crate::request::Request;

/// The maximum number of reported problems; more would hide the first ones.
const MAX_PROBLEMS: usize = 50;

/// The fields that flags set: paths and flags, longer paths before their prefixes.
pub type Flags<'a> = &'a [(&'a str, &'a str)];

#[derive(Args, Clone, Copy, Debug)]
pub struct CheckOptions {
    /// Also send names, values, types and settings that only a newer ESET may know
    ///
    /// ESET adds these at any time, and treats those that it does not know itself as empty. Other mistakes
    /// are still refused.
    #[arg(long)]
    allow_unknown: bool,
}

impl CheckOptions {
    pub fn allows_unknown(self) -> bool {
        self.allow_unknown
    }

    /// Checks a request made from flags.
    pub fn flags(self, request: &Request, flags: Flags<'_>) -> Result<(), Failure> {
        let problems = self.problems(request);
        fail(problems.iter().map(|problem| (with_flag(problem, flags), problem.kind)), true)
    }

    /// Checks all requests in `file` before the first is sent.
    pub fn all(self, file: &str, requests: &Requests) -> Result<(), Failure> {
        let mut problems = Vec::new();
        let mut add = |place: &str, request: &Request| {
            let found = self.problems(request);
            let lines = found.iter().map(|problem| {
                let field = json_path(&problem.field);
                (format!("{file}: {place}{field}: {}", problem.description()), problem.kind)
            });
            problems.extend(lines);
        };
        match requests {
            Requests::One(request) => add("", request),
            Requests::Many(requests) => {
                requests.iter().for_each(|(place, request)| add(&format!("{place}: "), request));
            }
        }
        fail(problems.into_iter(), true)
    }

    fn problems(self, request: &Request) -> Vec<Problem> {
        let is_told =
            |problem: &&Problem| !(self.allow_unknown && problem.kind == ProblemKind::Unknown);
        request.problems.iter().filter(is_told).cloned().collect()
    }
}

/// Checks a request made from flags that have no unknown values.
pub fn check(request: &Request, flags: Flags<'_>) -> Result<(), Failure> {
    let problems = CheckOptions { allow_unknown: false }.problems(request);
    fail(problems.iter().map(|problem| (with_flag(problem, flags), problem.kind)), false)
}

fn fail(
    mut problems: impl Iterator<Item = (String, ProblemKind)>,
    has_flag: bool,
) -> Result<(), Failure> {
    let mut lines = Vec::new();
    let mut is_unknown = false;
    for (line, kind) in problems.by_ref().take(MAX_PROBLEMS) {
        lines.push(line);
        is_unknown |= kind == ProblemKind::Unknown;
    }
    let more = problems.count();
    if more > 0 {
        lines.push(format!("{more} more"));
    }
    if lines.is_empty() {
        return Ok(());
    }
    Err(Failure::Check { lines, can_allow: is_unknown && has_flag })
}

/// Describes a problem by the flag that caused it.
fn with_flag(problem: &Problem, flags: Flags<'_>) -> String {
    let description = problem.description();
    let is_end = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
    let found = flags.iter().find_map(|(path, flag)| {
        let rest = problem.field.strip_prefix(path)?;
        (path.is_empty() || is_end(rest)).then_some((flag, rest))
    });
    match found {
        // A field inside a flag's JSON.
        Some((flag, rest)) if rest.starts_with('.') && flag.starts_with("--params") => {
            format!("{flag}: {}: {description}", rest.trim_start_matches('.'))
        }
        Some((flag, _)) => format!("{flag}: {description}"),
        None => problem.to_string(),
    }
}

/// Converts a field path to JSON names.
fn json_path(path: &str) -> String {
    let mut json = String::with_capacity(path.len());
    let mut is_upper = false;
    for c in path.chars() {
        match c {
            '_' => is_upper = true,
            c if is_upper && c.is_ascii_lowercase() => {
                json.push(c.to_ascii_uppercase());
                is_upper = false;
            }
            // As in `executableHashSha2_256`.
            c if is_upper => {
                json.push('_');
                json.push(c);
                is_upper = false;
            }
            c => json.push(c),
        }
    }
    json
}
