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
    let json = json::message("ERROR", text);
    stderr::say(&json.unwrap_or_else(|| error_line(text)));
}

/// Returns the line of an error.
pub fn error_line(text: &str) -> String {
    let style = Style::new(io::stderr().is_terminal());
    format!("{} {}\n", style.red("error:"), printable(text))
}
