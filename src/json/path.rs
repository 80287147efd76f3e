//! Errors say where: each level that an error passes on its way out adds its own name.
//!
//! This costs nothing while all is well. A serde error is opaque, so the path travels in its
//! message: ``field `features[0].flags["a.b"].readOnly`: expected …``. serde_json finds line and
//! column again at the end of a message that is wrapped in this way.

use std::fmt::{self, Display, Write};

const START: &str = "field `";
const END: &str = "`: ";

/// The most bytes of a message that are passed on. Formats whose errors quote what they are told, as
/// CBOR's do, double its quotes at each level.
const LONGEST: usize = 8 * 1024;

/// The message of an error.
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

/// The message of an error inside a field.
#[cold]
pub(crate) fn at_field(name: &str, error: &dyn Display) -> String {
    let message = message(error);
    match message.strip_prefix(START) {
        Some(rest) if rest.starts_with('[') => format!("{START}{name}{rest}"),
        Some(rest) => format!("{START}{name}.{rest}"),
        None => format!("{START}{name}{END}{message}"),
    }
}

/// The message of an error inside an element of a list.
#[cold]
pub(crate) fn at_index(index: usize, error: &dyn Display) -> String {
    at_field(&format!("[{index}]"), error)
}

/// The message of an error inside a value of a map.
#[cold]
pub(crate) fn at_key(key: &str, error: &dyn Display) -> String {
    at_field(&format!("[{key:?}]"), error)
}

/// The message of an error inside an `Any` of this type.
#[cold]
pub(crate) fn at_type(type_url: &str, error: &dyn Display) -> String {
    let message = message(error);
    match message.strip_prefix(START).and_then(|rest| rest.split_once(END)) {
        Some((path, rest)) => format!("{START}{path}{END}in `{type_url}`: {rest}"),
        None => format!("in `{type_url}`: {message}"),
    }
}
