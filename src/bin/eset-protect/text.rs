//! Text for people.

use std::borrow::Cow;

/// Text with its control characters written out, so that a name from a server cannot break a table or
/// speak to the terminal.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let written = text.chars().map(|c| match c {
        c if is_control(c) => c.escape_default().to_string(),
        c => c.to_string(),
    });
    Cow::Owned(written.collect())
}

/// Control characters, and those that turn the direction of writing around.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The last part of a name such as `Era.Common.DataDefinition.Task.OS.RunCommand`.
pub fn short_name(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// `1 device`, `2 devices`.
pub fn count(number: usize, singular: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {}", plural(singular)) }
}

/// `1 failed, 2 suppressed`: what there is any of.
pub fn counts(parts: &[(usize, &str)]) -> String {
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    parts.map(|(number, what)| format!("{number} {what}")).collect::<Vec<_>>().join(", ")
}

/// `tasks`, `policies`.
pub fn plural(singular: &str) -> String {
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{singular}s"),
    }
}

/// How the person called this command, to show others that work the same way.
pub fn program() -> &'static str {
    // Cargo sets it for what it runs.
    if std::env::var_os("CARGO").is_some() {
        "cargo run -q --features cli --"
    } else {
        "eset-protect"
    }
}
