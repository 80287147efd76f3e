//! Messages on standard error.

use std::io::{self, IsTerminal};

use crate::stderr;
use crate::style::Style;
use crate::text::printable;

/// Prints a line.
pub fn say(text: &str) {
    stderr::say(&format!("{}\n", printable(text)));
}

/// Reports an error in one line while other work continues.
pub fn say_error(text: &str) {
    let style = Style::new(io::stderr().is_terminal());
    stderr::say(&format!("{} {}\n", style.red("error:"), printable(text)));
}
