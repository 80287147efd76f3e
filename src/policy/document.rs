//! The tree of a JSON document with the position of each value, so that one value can be replaced and the rest
//! stays as it is.

use std::ops::Range;

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
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        last(self.members.as_deref()?, name)
    }
}

/// Returns the last of several members with a name, as most readers of JSON do.
pub(super) fn last<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    entries.iter().rev().find(|entry| entry.name == name)
}

/// Reads a document, which must be an object.
pub(super) fn read(text: &str) -> Result<Entry, ContainerError> {
    serde_json::from_str::<IgnoredAny>(text)
        .map_err(|error| ContainerError::of_json(text.as_bytes(), &error))?;
    // From here on the text is known to be JSON.
    let mut scanner = Scanner { bytes: text.as_bytes(), text, at: 0 };
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
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn skip(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn string(&mut self) -> Range<usize> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        start..self.at
    }

    /// Passes a value. Returns its members if it is an object.
    fn value(&mut self, depth: usize) -> Result<Option<Vec<Entry>>, ContainerError> {
        if depth > MAX_DEPTH {
            return Err(ContainerError::at(self.at, ContainerProblem::TooDeep));
        }
        match self.peek() {
            Some(b'{') => {
                self.at += 1;
                let mut members = Vec::new();
                while !self.skip(b'}') {
                    if self.peek().is_none() {
                        return Err(ContainerError::at(self.at, ContainerProblem::Cut));
                    }
                    members.push(self.entry(depth)?);
                    self.skip(b',');
                }
                return Ok(Some(members));
            }
            Some(b'[') => self.array(),
            Some(b'"') => drop(self.string()),
            _ => {
                let is_end = |byte: u8| byte.is_ascii_whitespace() || b",]}".contains(&byte);
                while self.peek().is_some_and(|byte| !is_end(byte)) {
                    self.at += 1;
                }
            }
        }
        Ok(None)
    }

    fn entry(&mut self, depth: usize) -> Result<Entry, ContainerError> {
        self.skip_space();
        let name = self.string();
        let start = name.start;
        let quoted = self.text.get(name).unwrap_or_default();
        let name = serde_json::from_str(quoted)
            .map_err(|_| ContainerError::at(start, ContainerProblem::NotJson))?;
        self.skip(b':');
        self.skip_space();
        let value = self.at;
        let members = self.value(depth + 1)?;
        Ok(Entry { name, span: start..self.at, value: value..self.at, members })
    }

    /// Passes an array of any depth.
    fn array(&mut self) {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => drop(self.string()),
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += usize::from(byte != b'"');
            if open == 0 {
                break;
            }
        }
    }
}
