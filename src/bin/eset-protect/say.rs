//! What is said beside the output, on standard error.

use std::io::{self, IsTerminal, Write};

use crate::style::Style;
use crate::text::printable;

/// Says a line.
pub fn say(text: &str) {
    // If nobody reads it there is nobody to tell.
    drop(writeln!(io::stderr(), "{}", printable(text)));
}

/// Says what went wrong, in one line, while others go on.
pub fn say_error(text: &str) {
    let style = Style::new(io::stderr().is_terminal());
    drop(writeln!(io::stderr(), "{} {}", style.red("error:"), printable(text)));
}
