//! The parts of the command that a run needs.

use std::collections::HashSet;

/// The parts of the command that may be needed.
#[derive(Debug)]
pub enum Wanted<'a> {
    All,
    /// Those that are named by one of the arguments.
    Words(HashSet<&'a str>),
}

impl Wanted<'_> {
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Words(words) => words.contains(name),
        }
    }

    /// Whether anybody reads descriptions.
    pub fn has_help(&self) -> bool {
        match self {
            Self::All => true,
            Self::Words(words) => {
                words.is_empty() || ["help", "-h", "--help"].iter().any(|word| words.contains(word))
            }
        }
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        let words = match self {
            Self::All => None,
            Self::Words(words) => Some(words.iter().copied()),
        };
        words.into_iter().flatten()
    }
}
