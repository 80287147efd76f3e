//! Problems that the checks find.

use std::fmt;

use super::suggestion::closest;

/// How certain it is that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemKind {
    /// This version of the crate does not know an action, member, enum value, type or form of policy
    /// settings. A newer ESET may know it, since ESET adds these at any time and considers that compatible.
    Unknown,
    /// The value makes no sense, although ESET does not say that it refuses it: an empty name, an expiry time
    /// in the past, params of another action.
    Wrong,
    /// ESET documents that the call fails with `INVALID_ARGUMENT` or HTTP 400.
    Refused,
}

/// A value in a message that is wrong or unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// How certain it is.
    pub kind: ProblemKind,
    /// The path of the field, starting at the checked message, with the field names of the `.proto` files,
    /// such as `task.targets.devices_uuids[0]`. Unknown members keep the name that they had in the message.
    pub field: String,
    /// The value, cut to 100 characters; `None` if it is missing.
    pub value: Option<String>,
    /// What was expected.
    pub expected: String,
    /// The known name that was probably meant.
    pub suggestion: Option<String>,
}

impl Problem {
    /// Returns the description without the field: `expected …, found …; did you mean …?`.
    pub fn description(&self) -> impl fmt::Display + '_ {
        Description(self)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.description())
    }
}

struct Description<'a>(&'a Problem);

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.0.expected)?;
        if let Some(value) = &self.0.value {
            write!(f, ", found {value:?}")?;
        }
        if let Some(suggestion) = &self.0.suggestion {
            write!(f, "; did you mean {suggestion:?}?")?;
        }
        Ok(())
    }
}

/// All problems of one message; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The maximum number of problems reported for one message; there may be more.
    pub const MAX: usize = 100;

    /// Iterates over the problems, where possible in the order of the fields.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Ignores problems of the kind [`Unknown`](ProblemKind::Unknown).
    ///
    /// # Errors
    ///
    /// Returns the remaining problems, if any.
    pub fn allow_unknown(mut self) -> Result<(), Self> {
        self.0.retain(|problem| problem.kind != ProblemKind::Unknown);
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Problem>);

impl Findings {
    /// Whether something is wrong with this field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|problem| problem.field == field)
    }

    /// Records a missing value.
    pub(crate) fn missing(&mut self, kind: ProblemKind, field: impl fmt::Display, expected: &str) {
        self.add(kind, field, None, expected, None);
    }

    /// Records a wrong value.
    pub(crate) fn wrong(
        &mut self,
        kind: ProblemKind,
        field: impl fmt::Display,
        value: &str,
        expected: &str,
    ) {
        self.add(kind, field, Some(value), expected, None);
    }

    /// Records an unknown value and suggests the closest known one.
    pub(crate) fn unknown<'a>(
        &mut self,
        field: impl fmt::Display,
        value: &str,
        expected: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let suggestion = closest(value, known).map(str::to_owned);
        self.add(ProblemKind::Unknown, field, Some(value), expected, suggestion);
    }

    /// Records any other problem.
    pub(crate) fn add(
        &mut self,
        kind: ProblemKind,
        field: impl fmt::Display,
        value: Option<&str>,
        expected: &str,
        suggestion: Option<String>,
    ) {
        if self.0.len() >= Problems::MAX {
            return;
        }
        let problem = Problem {
            kind,
            field: field.to_string(),
            value: value.map(shortened),
            expected: expected.to_owned(),
            suggestion,
        };
        // Several checks may report the same undecodable bytes.
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub(crate) fn end(self) -> Result<(), Problems> {
        if self.0.is_empty() { Ok(()) } else { Err(Problems(self.0)) }
    }

    #[cfg(feature = "emulator")]
    pub(super) fn into_all(self) -> Vec<Problem> {
        self.0
    }

    #[cfg(feature = "emulator")]
    pub(crate) fn into_refused(mut self) -> Vec<Problem> {
        self.0.retain(|problem| problem.kind == ProblemKind::Refused);
        self.0
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
