//! The plain form of well-known types: the JSON object of their fields, for values that the regular JSON form
//! cannot represent, such as a time in the year 10,000.

use std::fmt::Display;

use serde::de::Error as _;
use serde_json::{Error, Result};

use crate::json::compact::Compact;
use crate::json::context;
use crate::json::fields::{read_singular, write_field};
use crate::json::numbers::{Int, Long};
use crate::json::parser::Parser;

/// A type whose JSON is a string if that can represent the value.
pub(super) trait Plain: Sized {
    /// A description of the string.
    const EXPECTED: &'static str;

    /// Reads the string.
    fn parse(text: &str) -> Result<Self>;

    /// Reads the object of the fields.
    fn fields(parser: &mut Parser<'_>) -> Result<Self>;
}

/// The fields of a timestamp or duration.
pub(super) struct Seconds {
    pub seconds: i64,
    pub nanos: i32,
}

impl Seconds {
    pub(super) fn write(seconds: i64, nanos: i32, json: &mut Compact) -> Result<()> {
        write_field::<Long<i64>>(json, "seconds", &seconds)?;
        write_field::<Int<i32>>(json, "nanos", &nanos)
    }

    /// Reads the object. `expected`: the string that there usually is, for errors.
    pub(super) fn read(parser: &mut Parser<'_>, expected: &str) -> Result<Self> {
        let wrong = |found: &dyn Display| {
            Error::custom(format_args!("expected {expected}, found an object {found}"))
        };
        parser.object(&"an object", |object| {
            let mut whole = Self { seconds: 0, nanos: 0 };
            let (Self { seconds, nanos }, mut has) = (&mut whole, [false; 2]);
            while let Some(name) = object.next_name()? {
                match &*name {
                    "seconds" => {
                        read_singular::<Long<i64>>(object, "seconds", &mut has[0], seconds)?;
                    }
                    "nanos" => read_singular::<Int<i32>>(object, "nanos", &mut has[1], nanos)?,
                    _ => return Err(wrong(&format_args!("with the member `{name}`"))),
                }
            }
            if !has[0] {
                return Err(wrong(&"without `seconds`"));
            }
            Ok(whole)
        })
    }
}

/// Writes the fields of a value that no string can represent, unless the writer is strict.
pub(super) fn write(
    problem: impl Display,
    json: &mut Compact,
    fields: impl FnOnce(&mut Compact) -> Result<()>,
) -> Result<()> {
    if context::writes_strictly() {
        return Err(Error::custom(problem));
    }
    json.object(fields)
}

/// Reads a string, or the object of the fields unless the reader is strict.
pub(super) fn read<T: Plain>(parser: &mut Parser<'_>) -> Result<T> {
    match parser.peek() {
        Some(b'{') if !context::is_strict() => T::fields(parser),
        _ => T::parse(&parser.string(&T::EXPECTED)?),
    }
}
