//! What is found.

use std::fmt;

use super::suggestion::closest;

/// How certain it is that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemKind {
    /// This version of the crate does not know it: an action, the name of a member, the value of an enum, a
    /// type, the form of a policy's settings. A newer ESET may, since ESET adds these at any time and calls
    /// that compatible.
    Unknown,
    /// It cannot be meant, though ESET does not say that it refuses it: a name that is empty, an expiry that
    /// has passed, params of another action.
    Wrong,
    /// ESET says that the call fails, with `INVALID_ARGUMENT` or HTTP 400.
    Refused,
}

/// Something that is wrong with a message, or not known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// How certain it is.
    pub kind: ProblemKind,
    /// The path of the field from the message that was checked, by the names of the `.proto` files, such as
    /// `task.targets.devices_uuids[0]`; the name of a member that no field has is as it was found.
    pub field: String,
    /// What was found there, at most 100 characters of it; `None` where there is nothing.
    pub value: Option<String>,
    /// What was expected.
    pub expected: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

impl Problem {
    /// What is wrong, without where: `expected …, found …; did you mean …?`.
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

/// All that was found in a message: one problem at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// So many problems are told of one message; there may be more.
    pub const MAX: usize = 100;

    /// Each of them, in the order of the fields as far as they have one.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Passes over what only is not known.
    ///
    /// # Errors
    ///
    /// With the rest, if there is any.
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

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Problem>);

impl Findings {
    /// Something that must be there is not.
    pub(crate) fn missing(&mut self, kind: ProblemKind, field: impl fmt::Display, expected: &str) {
        self.add(kind, field, None, expected, None);
    }

    /// A value is wrong.
    pub(crate) fn wrong(
        &mut self,
        kind: ProblemKind,
        field: impl fmt::Display,
        value: &str,
        expected: &str,
    ) {
        self.add(kind, field, Some(value), expected, None);
    }

    /// A value is none of those that are known.
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

    /// Something else, with what may have been meant.
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
        // Bytes that are no message are found by whoever looks at them.
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub(crate) fn end(self) -> Result<(), Problems> {
        if self.0.is_empty() { Ok(()) } else { Err(Problems(self.0)) }
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
