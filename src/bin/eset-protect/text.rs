//! Text for people.

use std::borrow::Cow;

use eset_protect::codegen::near;

/// Escapes control characters and invisible ones, so that a name from a server cannot break a table, control the
/// terminal, or look like another name.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, is_control, |c| c.escape_default().to_string())
}

/// Escapes in the way of JSON what could control a terminal, except line breaks and tabs: for JSON and other text of
/// several lines.
pub fn json_printable(text: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| is_control(c) && !matches!(c, '\n' | '\t');
    escaped(text, is_escaped, |c| format!("\\u{:04x}", u32::from(c)))
}

fn escaped(
    text: &str,
    is_escaped: impl Fn(char) -> bool,
    escape: impl Fn(char) -> String,
) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let written = text.chars().map(|c| if is_escaped(c) { escape(c) } else { c.to_string() });
    Cow::Owned(written.collect())
}

/// Whether this is a control character, changes the writing direction, or shows nothing. Joiners are part of the
/// spelling of some languages.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Returns the last part of a name such as `Era.Common.DataDefinition.Task.OS.RunCommand`.
pub fn short_name(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// Returns `1 device`, `2 devices`.
pub fn count(number: usize, singular: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {}", plural(singular)) }
}

/// Returns `1 failed, 2 suppressed`: all counts that are not zero.
pub fn counts(parts: &[(usize, &str)]) -> String {
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    parts.map(|(number, what)| format!("{number} {what}")).collect::<Vec<_>>().join(", ")
}

/// Returns `tasks`, `policies`.
pub fn plural(singular: &str) -> String {
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{singular}s"),
    }
}

/// `task`, `policy`; the reverse of [`plural`].
pub fn singular(plural: &str) -> String {
    match (plural.strip_suffix("ies"), plural.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        // Patches, but not tasks.
        (None, Some(stem)) if stem.ends_with("che") => stem.trim_end_matches('e').to_owned(),
        (None, Some(stem)) if !stem.ends_with('s') => stem.to_owned(),
        _ => plural.to_owned(),
    }
}

/// Returns the text with a capital letter at its start.
pub fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Returns `update-task-targets` for `UpdateTaskTargets`.
pub fn kebab(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// Returns `did you mean device_uuid?`, if some of the known names are near.
pub fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = near(name, known);
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

/// Returns how the user called this command, for examples.
pub fn program() -> &'static str {
    // Cargo sets this for programs that it runs.
    if std::env::var_os("CARGO").is_some() {
        "cargo run -q --features cli --"
    } else {
        "eset-protect"
    }
}

/// Returns a description in the imperative, as commands describe themselves: `Move a device` for `Moves a device`.
pub fn imperative(description: &str) -> String {
    let mut words: Vec<_> = description.split(' ').map(str::to_owned).collect();
    let first = usize::from(words.first().is_some_and(|word| word.ends_with("ly")));
    let second = words.get(first + 1).is_some_and(|word| word == "and").then_some(first + 2);
    for at in [Some(first), second].into_iter().flatten() {
        if let Some(word) = words.get_mut(at).filter(|word| !word.ends_with("ss")) {
            *word = match word.strip_suffix("ies") {
                Some(stem) => format!("{stem}y"),
                None => word.strip_suffix('s').unwrap_or(word).to_owned(),
            };
        }
    }
    words.join(" ")
}
