//! Puts an error of another crate into plain words.

use std::error::Error as StdError;
use std::fmt;

/// An error whose message covers all of its causes, which are for programs only.
#[derive(Debug)]
pub(crate) struct InWords {
    words: String,
    source: Box<dyn StdError + Send + Sync>,
}

impl InWords {
    pub(crate) fn new(words: String, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { words, source: source.into() }
    }
}

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl StdError for InWords {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
