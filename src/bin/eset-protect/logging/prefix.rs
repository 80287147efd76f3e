//! The start of each line of the log.

use std::fmt;

use tracing::Level;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use crate::style::Style;

/// Writes the time and level at the start of a line.
pub fn begin(writer: &mut Writer<'_>, style: Style, level: Level) -> fmt::Result {
    let mut time = String::new();
    SystemTime.format_time(&mut Writer::new(&mut time))?;
    let name = format!("{level:>5}");
    let name = match level {
        Level::ERROR | Level::WARN => style.red(&name),
        Level::INFO => style.green(&name),
        _ => style.dim(&name),
    };
    write!(writer, "{} {name} ", style.dim(&time))
}
