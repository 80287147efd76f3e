//! Reads and writes messages in any format of serde, by way of their JSON text.
//!
//! Only the text has code for each type of message. If every format had, the compiler would repeat that code,
//! and that of all types that an `Any` may contain, for each format that a program uses.

use std::borrow::Cow;

use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};

use super::compact::Compact;
use super::message::JsonMessage;
use super::parser::Parser;
use super::{path, raw};

/// Writes a message.
pub fn serialize<M: JsonMessage, S: Serializer>(
    message: &M,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let json = to_string(message).map_err(S::Error::custom)?;
    raw::write(&json, serializer)
}

/// Reads a message.
pub fn deserialize<'de, M: JsonMessage, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<M, D::Error> {
    let json = raw::text(deserializer, M::MEMBERS)?;
    from_str(&json).map_err(|error| match json {
        // The input itself.
        Cow::Borrowed(_) if error.line() > 0 => {
            D::Error::custom(format_args!("{error} of the message"))
        }
        _ => D::Error::custom(path::without_position(&error)),
    })
}

/// Returns the JSON text of a message.
pub(crate) fn to_string<M: JsonMessage>(message: &M) -> Result<String, serde_json::Error> {
    Compact::text(|json| message.write_json(json))
}

/// Reads a message from JSON text.
pub(crate) fn from_str<M: JsonMessage>(json: &str) -> Result<M, serde_json::Error> {
    let mut message = M::default();
    Parser::new(json).read(|parser| message.read_json(parser))?;
    Ok(message)
}
