//! Adds paths to errors: each level that an error passes adds its own name.
//!
//! This costs nothing unless an error occurs. serde errors are opaque, so the path is part of the message:
//! ``field `features[0].flags["a.b"].readOnly`: expected …``. serde_json still recognizes line and column at
//! the end of such a message.

use std::fmt::{self, Display, Write};

use serde::de::Error as _;
use serde_json::Error;

const START: &str = "field `";
const END: &str = "`: ";

/// The maximum size of a message. Formats whose errors quote messages, such as CBOR's, double the quotes at
/// each level.
const LONGEST: usize = 8 * 1024;

/// Returns the message of an error.
fn message(error: &dyn Display) -> String {
    struct Bounded(String);
    impl Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = LONGEST.saturating_sub(self.0.len());
            if text.len() <= room {
                self.0.push_str(text);
                return Ok(());
            }
            let cut = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            self.0.push_str(&text[..cut]);
            Err(fmt::Error)
        }
    }
    let mut bounded = Bounded(String::new());
    if write!(bounded, "{error}").is_err() {
        bounded.0.push('…');
    }
    bounded.0
}

/// Returns an error inside a field.
#[cold]
pub(crate) fn at_field(name: &str, error: &dyn Display) -> Error {
    let message = message(error);
    Error::custom(match message.strip_prefix(START) {
        Some(rest) if rest.starts_with('[') => format!("{START}{name}{rest}"),
        Some(rest) => format!("{START}{name}.{rest}"),
        None => format!("{START}{name}{END}{message}"),
    })
}

/// Returns the error of a member that appears twice.
#[cold]
pub(crate) fn twice(name: &str) -> Error {
    at_field(name, &"it appears twice")
}

/// Returns an error inside an element of a list.
#[cold]
pub(crate) fn at_index(index: usize, error: &dyn Display) -> Error {
    at_field(&format!("[{index}]"), error)
}

/// Returns an error inside a value of a map.
#[cold]
pub(crate) fn at_key(key: &str, error: &dyn Display) -> Error {
    at_field(&format!("[{key:?}]"), error)
}

/// Returns an error inside an `Any` of this type.
#[cold]
pub(crate) fn at_type(type_url: &str, error: &dyn Display) -> Error {
    let message = message(error);
    Error::custom(match message.strip_prefix(START).and_then(|rest| rest.split_once(END)) {
        Some((path, rest)) => format!("{START}{path}{END}in `{type_url}`: {rest}"),
        None => format!("in `{type_url}`: {message}"),
    })
}

/// Returns the message of an error without the line and column at its end.
#[cold]
pub(crate) fn without_position(error: &Error) -> String {
    let mut message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    if message.ends_with(&position) {
        message.truncate(message.len() - position.len());
    }
    message
}

/// Returns the error of text that ends too early, with the problem instead of the end; any other error as it is.
#[cold]
pub(crate) fn instead_of_end(error: Error, problem: &str) -> Error {
    let message = error.to_string();
    match message.split_once("EOF while parsing") {
        Some((path, _)) => Error::custom(format_args!("{path}{problem}")),
        None => error,
    }
}
