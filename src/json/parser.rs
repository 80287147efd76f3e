//! Reads JSON text, in fewer instructions than serde_json: looks for the ends of strings in eight bytes at once,
//! and checks nothing that a `str` guarantees.
//!
//! What is rare is left to serde_json, which gets the text of just that value: strings with escapes, numbers
//! that are not small integers, unknown members, enums of the user's own types. So are the messages of errors.

use std::any::type_name;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, IntoDeserializer,
    MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::de::StrRead;
use serde_json::{Error, Result};

use super::compact::{RAW_VALUE, is_special, special_bytes};
use super::path;

/// The maximum nesting of lists and objects, the same as serde_json's.
const MAX_DEPTH: u8 = 127;

/// JSON text and the position up to which it was read.
pub(crate) struct Parser<'de> {
    text: &'de str,
    at: usize,
    /// How many more levels may begin.
    levels: u8,
    /// Whether visitors get each number as a [`Number`].
    has_exact_numbers: bool,
}

/// The text of a string.
enum Str<'de> {
    /// Part of the input.
    Plain(&'de str),
    /// With its escapes decoded.
    Decoded(String),
}

impl<'de> Parser<'de> {
    pub(crate) fn new(text: &'de str) -> Self {
        Self { text, at: 0, levels: MAX_DEPTH, has_exact_numbers: false }
    }

    /// Creates a parser that hands numbers over as a [`Number`].
    pub(super) fn with_exact_numbers(text: &'de str) -> Self {
        Self { has_exact_numbers: true, ..Self::new(text) }
    }

    /// Reads a value, which only white space may follow.
    pub(crate) fn read<T>(mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let value = read(&mut self);
        let value = value.and_then(|value| match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.syntax()),
        });
        value.map_err(|error| self.at_position(error))
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
            // A visitor that expects fewer elements.
            Ok(_) => Error::custom("trailing characters"),
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Returns the next byte that is not white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
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

    /// Passes a string, whose quote is next.
    fn string(&mut self) -> Result<Str<'de>> {
        self.at += 1;
        let start = self.at;
        self.at += plain(self.text.as_bytes().get(start..).unwrap_or_default());
        match self.byte() {
            Some(b'"') => {
                let text = self.slice(start)?;
                self.at += 1;
                Ok(Str::Plain(text))
            }
            Some(b'\\') => {
                self.at = start - 1;
                self.by_serde_json(|json| String::deserialize(json)).map(Str::Decoded)
            }
            _ => Err(self.syntax()),
        }
    }

    /// Lets serde_json read the next value.
    fn by_serde_json<T>(
        &mut self,
        read: impl FnOnce(&mut serde_json::Deserializer<StrRead<'de>>) -> Result<T>,
    ) -> Result<T> {
        let mut json = serde_json::Deserializer::from_str(self.skip()?);
        let value = read(&mut json).and_then(|value| json.end().map(|()| value));
        // Its position would be that in this text.
        value.map_err(|error| Error::custom(path::without_position(&error)))
    }

    /// Passes a value of any kind and returns its text.
    fn skip(&mut self) -> Result<&'de str> {
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

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        if self.has_exact_numbers {
            return visitor.visit_newtype_struct(Number(self.skip()?));
        }
        let start = self.at;
        let is_negative = self.byte() == Some(b'-');
        self.at += usize::from(is_negative);
        let first = self.at;
        let mut value: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - first;
        let is_integer = !matches!(self.byte(), Some(b'.' | b'e' | b'E'));
        let has_leading_zero = digits > 1 && self.text.as_bytes().get(first) == Some(&b'0');
        let is_small = is_integer && (1..=18).contains(&digits) && !has_leading_zero;
        // 18 digits fit into an `i64`; -0 is no integer.
        match i64::try_from(value) {
            Ok(value) if is_small && !is_negative => {
                return visitor.visit_u64(value.unsigned_abs());
            }
            Ok(value) if is_small && value != 0 => return visitor.visit_i64(-value),
            _ => {}
        }
        self.at = start;
        self.by_serde_json(|json| json.deserialize_any(visitor))
    }

    fn literal(&mut self, literal: &str) -> Result<()> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(literal) {
            return Err(self.syntax());
        }
        self.at += literal.len();
        Ok(())
    }

    /// Reads what an object or a list contains, between its brackets.
    fn level<T>(&mut self, end: u8, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.at += 1;
        self.levels = match self.levels.checked_sub(1) {
            Some(levels) => levels,
            None => return Err(Error::custom("recursion limit exceeded")),
        };
        let value = read(self)?;
        self.levels += 1;
        self.expect(end)?;
        Ok(value)
    }
}

/// Returns the number of bytes before the first `"`, `\` or control character.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let found = special_bytes(*word);
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + rest.iter().position(is_special).unwrap_or(rest.len())
}

macro_rules! forward_to_serde_json {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value> {
            self.by_serde_json(|json| json.$method($($argument,)* visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Parser<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b'"') => match self.string()? {
                Str::Plain(text) => visitor.visit_borrowed_str(text),
                Str::Decoded(text) => visitor.visit_string(text),
            },
            Some(b'{') => self.level(b'}', |parser| visitor.visit_map(Level::new(parser))),
            Some(b'[') => self.level(b']', |parser| visitor.visit_seq(Level::new(parser))),
            Some(b'-' | b'0'..=b'9') => self.number(visitor),
            Some(b't') => self.literal("true").and_then(|()| visitor.visit_bool(true)),
            Some(b'f') => self.literal("false").and_then(|()| visitor.visit_bool(false)),
            Some(b'n') => self.literal("null").and_then(|()| visitor.visit_unit()),
            _ => Err(self.syntax()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b'n') => self.literal("null").and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        if name == RAW_VALUE {
            return visitor.visit_map(RawText { text: Some(self.skip()?) });
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    // Messages do not contain these; types of the user's own may.
    forward_to_serde_json! {
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_bytes() deserialize_byte_buf()
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    forward_to_deserialize_any! {
        bool char str string unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

/// The members of an object or the elements of a list.
struct Level<'a, 'de> {
    parser: &'a mut Parser<'de>,
    is_first: bool,
}

impl<'a, 'de> Level<'a, 'de> {
    fn new(parser: &'a mut Parser<'de>) -> Self {
        Self { parser, is_first: true }
    }

    /// Whether there is another member or element. Passes the comma before it.
    #[inline]
    fn has_next(&mut self, end: u8) -> Result<bool> {
        if self.parser.peek() == Some(end) {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.parser.expect(b',')?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Level<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.has_next(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.parser).map(Some)
    }
}

impl<'de> MapAccess<'de> for Level<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.has_next(b'}')? {
            return Ok(None);
        }
        if self.parser.peek() != Some(b'"') {
            return Err(self.parser.syntax());
        }
        seed.deserialize(Key(self.parser.string()?)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        self.parser.expect(b':')?;
        seed.deserialize(&mut *self.parser)
    }
}

/// The name of a member. Types of the user's own may have keys that are not strings.
struct Key<'de>(Str<'de>);

impl Key<'_> {
    fn text(&self) -> &str {
        match &self.0 {
            Str::Plain(text) => text,
            Str::Decoded(text) => text,
        }
    }
}

macro_rules! parsed_keys {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let text = self.text();
            match serde_json::from_str(text) {
                Ok(key) if text.trim_ascii() == text => visitor.$visit(key),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Str::Plain(text) => visitor.visit_borrowed_str(text),
            Str::Decoded(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(self.text().into_deserializer())
    }

    parsed_keys! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32
        deserialize_i64 visit_i64 deserialize_i128 visit_i128
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32
        deserialize_u64 visit_u64 deserialize_u128 visit_u128
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

/// The text of a number, which a visitor recognizes by [`is`](Self::is).
pub(super) struct Number<'de>(&'de str);

impl Number<'_> {
    /// Whether a deserializer is this one, whose value is a string.
    pub(super) fn is<D>() -> bool {
        type_name::<D>() == type_name::<Number<'_>>()
    }
}

impl<'de> Deserializer<'de> for Number<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_borrowed_str(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The text of a value as serde_json hands it over: as the only member of an object.
struct RawText<'de> {
    text: Option<&'de str>,
}

impl<'de> MapAccess<'de> for RawText<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if self.text.is_none() {
            return Ok(None);
        }
        seed.deserialize(Key(Str::Plain(RAW_VALUE))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(Key(Str::Plain(self.text.take().unwrap_or_default())))
    }
}
