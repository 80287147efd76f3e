//! The tree of a JSON document with the position of each value, so that one value can be replaced and the rest
//! stays as it is.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{ContainerError, ContainerProblem};

/// As deep as serde_json goes.
const MAX_DEPTH: usize = 127;

/// A member of a JSON object.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// From the quote before the name to the end of the value.
    pub(super) span: Range<usize>,
    pub(super) value: Range<usize>,
    /// The members, if the value is an object.
    pub(super) members: Option<Vec<Self>>,
}

impl Entry {
    /// Returns the last of several members with a name, as most readers of JSON do.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        self.members.iter().flatten().rev().find(|entry| entry.name == name)
    }
}

/// Reads a document, which must be an object.
pub(super) fn read(text: &str) -> Result<Entry, ContainerError> {
    serde_json::from_str::<IgnoredAny>(text)
        .map_err(|error| ContainerError::of_json(text.as_bytes(), &error))?;
    // From here on the text is known to be JSON.
    let mut scanner = Scanner { text, at: 0 };
    scanner.skip_space();
    let start = scanner.at;
    let members = scanner.value(0)?;
    let value = start..scanner.at;
    if members.is_none() {
        return Err(ContainerError::at(start, ContainerProblem::NotJson));
    }
    Ok(Entry { name: String::new(), span: value.clone(), value, members })
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_ascii_start().len();
    }

    /// Passes this character, if it is the next.
    fn skip(&mut self, character: char) -> bool {
        self.skip_space();
        let is_there = self.rest().starts_with(character);
        self.at += usize::from(is_there);
        is_there
    }

    /// Passes a value without looking for its members.
    fn pass<T: Deserialize<'a>>(&mut self) -> Result<T, ContainerError> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter();
        let value = values.next().and_then(Result::ok);
        let value = value.ok_or(ContainerError::at(self.at, ContainerProblem::NotJson));
        self.at += values.byte_offset();
        value
    }

    /// Passes a value. Returns its members if it is an object.
    fn value(&mut self, depth: usize) -> Result<Option<Vec<Entry>>, ContainerError> {
        if depth > MAX_DEPTH {
            return Err(ContainerError::at(self.at, ContainerProblem::TooDeep));
        }
        if !self.skip('{') {
            return self.pass::<IgnoredAny>().map(|_| None);
        }
        let mut members = Vec::new();
        while !self.skip('}') {
            members.push(self.entry(depth)?);
            self.skip(',');
        }
        Ok(Some(members))
    }

    fn entry(&mut self, depth: usize) -> Result<Entry, ContainerError> {
        let start = self.at;
        let name = self.pass()?;
        self.skip(':');
        self.skip_space();
        let value = self.at;
        let members = self.value(depth + 1)?;
        Ok(Entry { name, span: start..self.at, value: value..self.at, members })
    }
}
