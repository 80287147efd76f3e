//! Reads JSON text, in fewer instructions than serde_json: looks for the ends of strings in eight bytes at once,
//! and checks nothing that a `str` guarantees.
//!
//! What is rare is left to serde_json, which gets the text of just that value: strings with escapes, unknown
//! members, types of the user's own. So are the messages of errors.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::{self, Display};

use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, Visitor};
use serde_json::{Error, Result};

use super::compact::{is_special, special_bytes};
use super::context::Collecting;
use super::escapes::check_escapes;
use super::number::is_json_number;
use super::{depth, path};

/// The maximum nesting of lists and objects, the same as serde_json's.
const MAX_DEPTH: u8 = 127;

/// The maximum nesting of messages inside the outermost one, which prost decodes. An entry of a map is a message, too.
const MAX_MESSAGES: u8 = 100;

/// JSON text and the position up to which it was read.
#[derive(Debug)]
pub struct Parser<'de> {
    text: &'de str,
    at: usize,
    /// How many more levels may begin.
    levels: u8,
    /// How many more messages may begin.
    messages: u8,
}

impl<'de> Parser<'de> {
    pub(crate) fn new(text: &'de str) -> Self {
        Self { text, at: 0, levels: MAX_DEPTH, messages: MAX_MESSAGES }
    }

    /// Reads a value, which only white space may follow.
    pub(crate) fn read<T>(mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let value = read(&mut self).map_err(|error| self.at_position(error))?;
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.at_position(self.syntax())),
        }
    }

    /// Returns the position.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Returns to the position before a value that could not be read.
    pub(crate) fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether the next value is in a message inside the outermost one.
    pub(crate) fn is_inside(&self) -> bool {
        self.messages < MAX_MESSAGES
    }

    /// Adds the position to an error that has none.
    #[cold]
    fn at_position(&self, error: Error) -> Error {
        if error.line() > 0 {
            return error;
        }
        let before = self.text.as_bytes().get(..self.at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        // serde_json recognizes the position.
        Error::custom(format_args!("{error} at line {line} column {column}"))
    }

    /// Returns serde_json's error for text that is not JSON.
    #[cold]
    fn syntax(&self) -> Error {
        match serde_json::from_str::<IgnoredAny>(self.text) {
            Err(error) => error,
            Ok(_) => Error::custom("trailing characters"),
        }
    }

    /// Returns the error for a value of another kind than the expected one.
    #[cold]
    pub(crate) fn invalid_type(&mut self, expected: &dyn Display) -> Error {
        let found = self.by_serde_json(|json| json.deserialize_bool(Refuse(expected)));
        match found {
            Err(error) => error,
            Ok(never) => match never {},
        }
    }

    /// Lets serde_json read the next value.
    fn by_serde_json<T>(
        &mut self,
        read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::StrRead<'de>>) -> Result<T>,
    ) -> Result<T> {
        let mut json = serde_json::Deserializer::from_str(self.value()?);
        // Its position would be that in this text.
        read(&mut json).map_err(|error| Error::custom(path::without_position(&error)))
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Returns the next byte that is not white space.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Passes this byte, after white space.
    #[inline]
    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(self.syntax());
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn slice(&self, from: usize) -> Result<&'de str> {
        self.text.get(from..self.at).ok_or_else(|| self.syntax())
    }

    /// Reads a value of any kind as text.
    pub(crate) fn value(&mut self) -> Result<&'de str> {
        self.peek();
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        if values.next().is_none_or(|value| value.is_err()) {
            return Err(self.syntax());
        }
        self.at += values.byte_offset();
        self.slice(start)
    }

    /// Reads a value of a type of the user's own.
    pub(crate) fn foreign<T: DeserializeOwned>(&mut self) -> Result<T> {
        let levels = usize::from(self.levels);
        let start = self.at;
        let text = self.value()?;
        if depth::check_levels(text, levels).is_err() {
            self.at = start;
            return Err(too_deep());
        }
        let _nothing_kept = Collecting::suspend();
        serde_json::from_str(text).map_err(|error| Error::custom(path::without_position(&error)))
    }

    /// Passes `null` if that is the next value.
    #[inline]
    pub(crate) fn null(&mut self) -> Result<bool> {
        match self.peek() {
            Some(b'n') => self.literal("null").map(|()| true),
            _ => Ok(false),
        }
    }

    pub(crate) fn bool(&mut self) -> Result<bool> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| false),
            _ => Err(self.invalid_type(&"a boolean")),
        }
    }

    fn literal(&mut self, literal: &str) -> Result<()> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(literal) {
            return Err(self.syntax());
        }
        self.at += literal.len();
        Ok(())
    }

    pub(crate) fn string(&mut self, expected: &dyn Display) -> Result<Cow<'de, str>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            _ => Err(self.invalid_type(expected)),
        }
    }

    /// Reads a string, whose quote is next.
    fn quoted(&mut self) -> Result<Cow<'de, str>> {
        self.at += 1;
        let start = self.at;
        self.at += plain(self.text.as_bytes().get(start..).unwrap_or_default());
        match self.byte() {
            Some(b'"') => {
                let text = self.slice(start)?;
                self.at += 1;
                Ok(Cow::Borrowed(text))
            }
            Some(b'\\') => {
                self.at = start - 1;
                let text = self.by_serde_json(|json| serde::Deserialize::deserialize(json));
                text.map(Cow::Owned).map_err(|error| {
                    // serde_json would say that an escape ends unexpectedly.
                    let quoted = self.slice(start - 1).unwrap_or_default();
                    check_escapes(quoted).map_or_else(Error::custom, |()| error)
                })
            }
            _ => Err(self.syntax()),
        }
    }

    /// Reads a number, whose first character is next, as text.
    pub(crate) fn number(&mut self) -> Result<&'de str> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.byte() {
            self.at += 1;
        }
        let text = self.slice(start)?;
        if !is_json_number(text) {
            self.at = start;
            return Err(self.syntax());
        }
        Ok(text)
    }

    /// Reads an object.
    pub(crate) fn object<T>(
        &mut self,
        expected: &dyn Display,
        read: impl FnOnce(&mut Object<'_, 'de>) -> Result<T>,
    ) -> Result<T> {
        self.begin(b'{', expected)?;
        let value = read(&mut Object { parser: self, is_first: true });
        self.levels += 1;
        let value = value?;
        self.expect(b'}')?;
        Ok(value)
    }

    /// Reads a list.
    pub(crate) fn list<T>(
        &mut self,
        expected: &dyn Display,
        read: impl FnOnce(&mut List<'_, 'de>) -> Result<T>,
    ) -> Result<T> {
        self.begin(b'[', expected)?;
        let value = read(&mut List { parser: self, is_first: true });
        self.levels += 1;
        let value = value?;
        self.expect(b']')?;
        Ok(value)
    }

    /// Reads a message inside another one.
    #[inline]
    pub(crate) fn message<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.messages = self.messages.checked_sub(1).ok_or_else(too_many_messages)?;
        let value = read(self);
        self.messages += 1;
        value
    }

    /// Reads what an `Any` contains, which is decoded on its own.
    pub(crate) fn contained<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outside = std::mem::replace(&mut self.messages, MAX_MESSAGES);
        let value = read(self);
        self.messages = outside;
        value
    }

    fn begin(&mut self, bracket: u8, expected: &dyn Display) -> Result<()> {
        if self.peek() != Some(bracket) {
            return Err(self.invalid_type(expected));
        }
        self.at += 1;
        self.levels = self.levels.checked_sub(1).ok_or_else(too_deep)?;
        Ok(())
    }

    /// Whether there is another member or element before the bracket. Passes the comma before it.
    #[inline]
    fn has_next(&mut self, is_first: &mut bool, bracket: u8) -> Result<bool> {
        if self.peek() == Some(bracket) {
            return Ok(false);
        }
        if !std::mem::take(is_first) {
            self.expect(b',')?;
        }
        Ok(true)
    }
}

#[cold]
fn too_deep() -> Error {
    Error::custom("recursion limit exceeded")
}

#[cold]
fn too_many_messages() -> Error {
    Error::custom(format_args!(
        "messages are nested deeper than {MAX_MESSAGES} levels, so their binary form could not be read"
    ))
}

/// The members of an object that are still to be read.
#[derive(Debug)]
pub struct Object<'a, 'de> {
    parser: &'a mut Parser<'de>,
    is_first: bool,
}

impl<'de> Object<'_, 'de> {
    /// Returns the name of the next member, whose value must be read then.
    #[inline]
    pub fn next_name(&mut self) -> Result<Option<Cow<'de, str>>> {
        if !self.parser.has_next(&mut self.is_first, b'}')? {
            return Ok(None);
        }
        if self.parser.peek() != Some(b'"') {
            return Err(self.parser.syntax());
        }
        let name = self.parser.quoted()?;
        self.parser.expect(b':')?;
        Ok(Some(name))
    }

    /// Returns the parser of the value.
    #[inline]
    pub(crate) fn value(&mut self) -> &mut Parser<'de> {
        self.parser
    }

    /// Marks the position before the next member.
    pub(crate) fn mark(&self) -> (usize, bool) {
        (self.parser.at, self.is_first)
    }

    /// Returns to a mark, after an error.
    pub(crate) fn rewind(&mut self, mark: (usize, bool)) {
        (self.parser.at, self.is_first) = mark;
    }
}

/// The elements of a list that are still to be read.
pub(crate) struct List<'a, 'de> {
    parser: &'a mut Parser<'de>,
    is_first: bool,
}

impl<'de> List<'_, 'de> {
    /// Returns the parser of the next element.
    pub(crate) fn next(&mut self) -> Result<Option<&mut Parser<'de>>> {
        let has_next = self.parser.has_next(&mut self.is_first, b']')?;
        Ok(has_next.then_some(&mut *self.parser))
    }
}

/// Takes no value, so that serde_json says what was found instead of the expected one.
struct Refuse<'a>(&'a dyn Display);

impl Visitor<'_> for Refuse<'_> {
    type Value = Infallible;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Returns the number of bytes before the first `"`, `\` or control character.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    // Most strings are short.
    match bytes.split_first_chunk::<BLOCK>() {
        Some((block, rest)) => match plain_words(block) {
            BLOCK => BLOCK + plain_blocks(rest),
            end => end,
        },
        None => plain_words(bytes),
    }
}

#[inline]
fn plain_words(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let found = special_bytes(*word);
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// How many bytes the compiler searches at once in long strings, with vector instructions.
const BLOCK: usize = 64;

#[inline(never)]
fn plain_blocks(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let is_plain =
        |block: &&[u8; BLOCK]| !block.iter().fold(false, |found, byte| found | is_special(byte));
    let plain = blocks.iter().take_while(is_plain).count() * BLOCK;
    plain + bytes.get(plain..).map_or(0, plain_words)
}
