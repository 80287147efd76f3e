//! Messages on standard error.

use std::io::{self, IsTerminal};

use crate::logging::json;
use crate::stderr;
use crate::style::Style;
use crate::text::printable;

/// Prints a line.
pub fn say(text: &str) {
    let json = json::message("INFO", text);
    stderr::say(&json.unwrap_or_else(|| format!("{}\n", printable(text))));
}

/// Reports an error in one line while other work continues.
pub fn say_error(text: &str) {
    let style = Style::new(io::stderr().is_terminal());
    let json = json::message("ERROR", text);
    stderr::say(&json.unwrap_or_else(|| format!("{} {}\n", style.red("error:"), printable(text))));
}
