//! The JSON form of each kind of field.

use std::fmt;
use std::marker::PhantomData;

use serde::de::Error as _;
use serde_json::{Error, Result};

use super::compact::Compact;
use super::message::JsonMessage;
use super::parser::Parser;

/// Writes and reads fields of one kind. The types that implement it are markers for generated code and have
/// no values.
pub trait Codec {
    /// The type in the generated struct.
    type Value: Default;

    /// Whether reading a value can find members or names that the schema does not have.
    const PRESERVES: bool = false;

    /// Returns the value that `null` means, if it is a value: only those of `google.protobuf.Value` and `NullValue` have one.
    fn null() -> Option<Self::Value> {
        None
    }

    /// Writes a value.
    fn write(value: &Self::Value, json: &mut Compact) -> Result<()>;

    /// Reads a value that is not `null` into its place, which has the default. A message would be copied on its way out
    /// of every function that returned it. After an error a part of the value may have been read.
    fn read(parser: &mut Parser<'_>, value: &mut Self::Value) -> Result<()>;
}

/// Reads with a codec, and returns whether there is a value: `null` is none unless the codec has a value for it.
pub(super) fn read_nullable<C: Codec>(
    parser: &mut Parser<'_>,
    value: &mut C::Value,
) -> Result<bool> {
    if !parser.null()? {
        return C::read(parser, value).map(|()| true);
    }
    let null = C::null();
    let is_value = null.is_some();
    *value = null.unwrap_or_default();
    Ok(is_value)
}

/// Reads an element of a list or map, where `null` is an error.
pub(super) fn read_element<C: Codec>(
    parser: &mut Parser<'_>,
    element: &mut C::Value,
) -> Result<()> {
    match read_nullable::<C>(parser, element)? {
        true => Ok(()),
        false => Err(Error::custom("null is not an element")),
    }
}

/// `string`.
#[derive(Debug)]
pub enum Text {}

impl Codec for Text {
    type Value = String;

    fn write(value: &String, json: &mut Compact) -> Result<()> {
        json.string(value);
        Ok(())
    }

    fn read(parser: &mut Parser<'_>, value: &mut String) -> Result<()> {
        *value = parser.string(&"a string")?.into_owned();
        Ok(())
    }
}

/// `bool`.
#[derive(Debug)]
pub enum Bool {}

impl Codec for Bool {
    type Value = bool;

    fn write(value: &bool, json: &mut Compact) -> Result<()> {
        json.bool(*value);
        Ok(())
    }

    fn read(parser: &mut Parser<'_>, value: &mut bool) -> Result<()> {
        *value = parser.bool()?;
        Ok(())
    }
}

/// A message.
#[derive(Debug)]
pub struct Msg<T>(PhantomData<T>);

impl<T: JsonMessage> Codec for Msg<T> {
    type Value = T;
    const PRESERVES: bool = true;

    fn null() -> Option<T> {
        T::null()
    }

    fn write(value: &T, json: &mut Compact) -> Result<()> {
        value.write_json(json)
    }

    fn read(parser: &mut Parser<'_>, message: &mut T) -> Result<()> {
        parser.message(|parser| message.read_json(parser))
    }
}

/// A type that can be a map key. In JSON every key is a string.
pub trait Key: Codec<Value: Ord + fmt::Display> {
    /// Reads a key.
    fn parse(text: &str) -> std::result::Result<Self::Value, String>;
}

impl Key for Text {
    fn parse(text: &str) -> std::result::Result<String, String> {
        Ok(text.to_owned())
    }
}

impl Key for Bool {
    fn parse(text: &str) -> std::result::Result<bool, String> {
        text.parse().map_err(|_| format!("expected true or false as a key, found `{text}`"))
    }
}
