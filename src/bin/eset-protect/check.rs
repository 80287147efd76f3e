//! Checks requests before anything is sent.

use clap::Args;

use crate::failure::Failure;
use crate::input::Requests;
use crate::method::Method;
use crate::problem::Problem;
use crate::request::Request;

/// The maximum number of flags that are named for one problem.
const MAX_FLAGS: usize = 3;
/// The maximum number of reported problems; more would hide the first ones.
const MAX_PROBLEMS: usize = 50;

#[derive(Args, Clone, Copy, Debug, Default)]
pub struct CheckOptions {
    /// Also send names, values, types and settings that only a newer ESET may know
    ///
    /// ESET adds these at any time, and treats those that it does not know itself as empty. Other mistakes
    /// are still refused.
    #[arg(long)]
    pub allow_unknown: bool,
}

impl CheckOptions {
    /// Checks a request made from flags; `flags` are the paths that they set, each before its prefixes.
    pub fn flags(self, request: &Request, flags: &[(String, String)]) -> Result<(), Failure> {
        fail(self.problems(request).map(|problem| (problem, with_flag(problem, flags))))
    }

    /// Checks all requests in `file` before the first is sent.
    pub fn all(self, method: &Method, file: &str, requests: &Requests) -> Result<(), Failure> {
        let requests: Vec<_> = match requests {
            Requests::One(request) => vec![(String::new(), request)],
            Requests::Many(requests) => {
                requests.iter().map(|(place, request)| (format!("{place}: "), request)).collect()
            }
        };
        fail(requests.iter().flat_map(|(place, request)| {
            self.problems(request).map(move |problem| {
                let field = json_path(method, &problem.field);
                (problem, format!("{file}: {place}{field}: {}", problem.description))
            })
        }))
    }

    fn problems(self, request: &Request) -> impl Iterator<Item = &Problem> {
        request.problems.iter().filter(move |problem| !(self.allow_unknown && problem.is_unknown))
    }
}

/// Fails if there are problems, each with its line.
fn fail<'a>(problems: impl Iterator<Item = (&'a Problem, String)>) -> Result<(), Failure> {
    let (problems, mut lines): (Vec<_>, Vec<_>) = problems.unzip();
    if lines.is_empty() {
        return Ok(());
    }
    let more = lines.len().saturating_sub(MAX_PROBLEMS);
    lines.truncate(MAX_PROBLEMS);
    let can_allow = problems.iter().take(MAX_PROBLEMS).any(|problem| problem.is_unknown);
    if more > 0 {
        lines.push(format!("{more} more"));
    }
    Err(Failure::Check { lines, can_allow })
}

/// Describes a problem by the flag that caused it.
fn with_flag(problem: &Problem, flags: &[(String, String)]) -> String {
    let Problem { field, description, .. } = problem;
    let is_end = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
    let found = flags.iter().find_map(|(path, flag)| {
        let rest = field.strip_prefix(&**path)?;
        (path.is_empty() || is_end(rest)).then_some((flag, rest))
    });
    match found {
        // A field inside a flag's JSON.
        Some((flag, rest)) if rest.contains('.') => {
            format!("{flag}: {}: {description}", rest.trim_start_matches('.'))
        }
        Some((flag, _)) => format!("{flag}: {description}"),
        None => {
            // The flags of the fields inside it.
            let is_inside = |path: &str| path.strip_prefix(&**field).is_some_and(is_end);
            let inside = flags.iter().filter(|(path, _)| is_inside(path)).map(|(_, flag)| &**flag);
            match &*inside.collect::<Vec<_>>() {
                [] => format!("{field}: {description}"),
                [flags @ .., _] if flags.len() >= MAX_FLAGS => {
                    format!("{} …: {description}", flags[..MAX_FLAGS].join(", "))
                }
                flags => format!("{}: {description}", flags.join(", ")),
            }
        }
    }
}

/// Converts a field path to JSON names.
fn json_path(method: &Method, path: &str) -> String {
    let mut message = Some(method.input());
    let names = path.split('.').map(|part| {
        let (name, index) = part.split_at(part.find('[').unwrap_or(part.len()));
        let field = message.take().and_then(|message| message.get_field_by_name(name));
        message = field.as_ref().and_then(|field| field.kind().as_message().cloned());
        format!("{}{index}", field.as_ref().map_or(name, |field| field.json_name()))
    });
    names.collect::<Vec<_>>().join(".")
}
