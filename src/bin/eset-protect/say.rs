//! What is said beside the output, on standard error.

use std::io::{self, IsTerminal};

use crate::stderr;
use crate::style::Style;
use crate::text::printable;

/// Says a line.
pub fn say(text: &str) {
    stderr::say(&format!("{}\n", printable(text)));
}

/// Says what went wrong, in one line, while others go on.
pub fn say_error(text: &str) {
    let style = Style::new(io::stderr().is_terminal());
    stderr::say(&format!("{} {}\n", style.red("error:"), printable(text)));
}
