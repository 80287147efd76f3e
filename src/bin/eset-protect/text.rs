//! Text for people.

use std::borrow::Cow;

use eset_protect::wkt::{Any, Timestamp};

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

/// A time, or nothing; `brief` leaves out fractions of a second.
pub fn time(time: Option<Timestamp>, brief: bool) -> String {
    let nanos = |time: Timestamp| if brief { 0 } else { time.nanos };
    time.map(|time| Timestamp { nanos: nanos(time), ..time }.to_string()).unwrap_or_default()
}

/// What an `Any` holds, as lines of JSON; its type and size where it has no JSON form here.
pub fn any_lines(any: &Any) -> Vec<String> {
    match serde_json::to_string_pretty(any) {
        Ok(json) => json.lines().map(str::to_owned).collect(),
        Err(_) => vec![type_and_size(any)],
    }
}

/// The same in one line.
pub fn any_line(any: &Any) -> String {
    serde_json::to_string(any).unwrap_or_else(|_| type_and_size(any))
}

fn type_and_size(any: &Any) -> String {
    format!("{}, {}", any.type_url, count(any.value.len(), "byte"))
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
