//! Writes YAML that readers of YAML 1.1 and of YAML 1.2 take for the same values.
//!
//! They disagree about plain text: `no`, `1_000`, `12:30` and `=` are text to some of them only. So all text that could
//! be anything else is quoted.

use eset_protect::codegen::is_uuid;
use serde::Serialize;
use serde_norway::{Number, Value, to_value};

use crate::failure::Failure;

/// Text that is a boolean or null to some readers, in any case.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
/// The longest key in front of a colon: readers look no further than 1,024 characters for the colon.
const MAX_KEY: usize = 128;

/// Returns the content of a document, in lines.
pub fn to_string(value: &impl Serialize) -> Result<String, Failure> {
    let value = to_value(value)
        .map_err(|error| Failure::Other(format!("cannot be written as YAML: {error}")))?;
    Ok(lines(&value).join("\n") + "\n")
}

fn lines(value: &Value) -> Vec<String> {
    let line = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) => return block(text).unwrap_or_else(|| vec![text_line(text)]),
        Value::Sequence(elements) if elements.is_empty() => "[]".to_owned(),
        Value::Sequence(elements) => {
            return elements.iter().flat_map(|it| indented("- ", lines(it))).collect();
        }
        Value::Mapping(members) if members.is_empty() => "{}".to_owned(),
        Value::Mapping(members) => {
            return members.iter().flat_map(|(key, value)| member(key, value)).collect();
        }
        Value::Tagged(tagged) => return lines(&tagged.value),
    };
    vec![line]
}

fn member(key: &Value, value: &Value) -> Vec<String> {
    let key = key.as_str().map_or_else(|| lines(key).join(" "), text_line);
    let (mut found, head) = match key.chars().count() > MAX_KEY {
        true => (vec![format!("? {key}")], ":".to_owned()),
        false => (Vec::new(), format!("{key}:")),
    };
    let mut inner = lines(value);
    match value {
        Value::Mapping(members) if !members.is_empty() => {
            found.push(head);
            inner = indented("  ", inner);
        }
        Value::Sequence(elements) if !elements.is_empty() => found.push(head),
        _ => inner.iter_mut().take(1).for_each(|line| line.insert_str(0, &format!("{head} "))),
    }
    found.extend(inner);
    found
}

/// Puts `first` before the first line, and spaces before the others.
fn indented(first: &str, lines: Vec<String>) -> Vec<String> {
    let spaces = " ".repeat(first.len());
    let indent = |(index, line): (usize, String)| match index {
        0 => format!("{first}{line}"),
        _ if line.is_empty() => line,
        _ => format!("{spaces}{line}"),
    };
    lines.into_iter().enumerate().map(indent).collect()
}

/// Returns text of several lines as it is, unless a reader would change it.
fn block(text: &str) -> Option<Vec<String>> {
    let is_kept = |c: char| is_printable(c) || matches!(c, '\n' | '\t');
    if !text.contains('\n') || text.starts_with(char::is_whitespace) || !text.chars().all(is_kept) {
        return None;
    }
    let (head, body) = match text.strip_suffix('\n') {
        None => ("|-", text),
        Some(body) if body.ends_with('\n') => ("|+", body),
        Some(body) => ("|", body),
    };
    let body = body.split('\n').map(str::to_owned);
    Some(std::iter::once(head.to_owned()).chain(indented("  ", body.collect())).collect())
}

/// Returns text on one line, quoted unless it can only be text.
fn text_line(text: &str) -> String {
    let is_harmless = |c: char| c.is_alphanumeric() || "_-./ @+()".contains(c);
    let is_plain = text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(is_harmless)
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_plain || is_uuid(text.as_bytes()) {
        return text.to_owned();
    }
    if text.chars().all(|c| is_printable(c) && c != '\'') {
        return format!("'{text}'");
    }
    // What JSON escapes, YAML reads.
    let json = serde_json::Value::from(text).to_string();
    let escaped = |c: char| match is_printable(c) {
        true => c.to_string(),
        false => format!("\\u{:04x}", u32::from(c)),
    };
    json.chars().map(escaped).collect()
}

/// Whether every reader accepts a character, and none takes it for the end of a line.
fn is_printable(c: char) -> bool {
    let is_break = matches!(c, '\u{2028}' | '\u{2029}');
    !c.is_control() && !is_break && !matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// YAML 1.1 takes `1e300` for text: it expects a point, and a sign in the exponent.
fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    let text = format!("{float:?}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::to_string;

    /// Values, each with the text that PyYAML (YAML 1.1) and ruamel.yaml (YAML 1.2) read as it.
    #[test]
    fn text_stays_text_to_every_reader() {
        let words = "1e400 = << no Yes ON off y 12:30 1_000 2026-01-01 0x1F 0o7 010 ~ null .inf -.INF .nan +1 \
                     1. .5 # --- ... *a &a !a @a %a | > ? [ { \" 0b1 190:20:30 1,000";
        let cases = words.split(' ').chain(["", " a", "a ", "- a", "a: b", "a #b"]);
        for case in cases {
            assert_eq!(to_string(&json!(case)).unwrap(), format!("'{case}'\n"));
            assert_eq!(to_string(&json!({ case: 1 })).unwrap(), format!("'{case}': 1\n"));
        }
        let uuid = "123e4567-e89b-12d3-a456-426614174000";
        for plain in ["Scan the till", "a-b/c.d", "Żółw", "yesterday", "e1", uuid] {
            assert_eq!(to_string(&json!(plain)).unwrap(), format!("{plain}\n"));
        }
        assert_eq!(to_string(&json!("it's")).unwrap(), "\"it's\"\n");
        assert_eq!(
            to_string(&json!("\u{7f}\u{85}\u{2028}\u{feff}\t")).unwrap(),
            "\"\\u007f\\u0085\\u2028\\ufeff\\t\"\n"
        );
        assert_eq!(
            to_string(&json!([1e300, 1.5e-7, 0.1, 1.0, -3])).unwrap(),
            "- 1.0e+300\n- 1.5e-7\n- 0.1\n- 1.0\n- -3\n"
        );
    }

    #[test]
    fn structure_is_read_back() {
        let texts = [
            "a\nb",
            "a\n",
            "a\n\n\nb\n\n",
            "\na",
            " a\nb",
            "a\r\nb",
            "a\n  b\n c",
            "a\n\tb",
            "a\n---\nb",
            "\n",
        ];
        let long = "k".repeat(2000);
        for text in texts {
            let value = json!({
                "one": [text, [[text], []], { "two": text, "three": [{}] }],
                text: { "four": [null, true] },
                &long: [{ &long: { "five": 1 } }, 2],
            });
            let yaml = to_string(&value).unwrap();
            assert_eq!(serde_norway::from_str::<Value>(&yaml).unwrap(), value, "{yaml}");
        }
        assert_eq!(
            to_string(&json!({ "a": [{ "b": "c\nd\n" }] })).unwrap(),
            "a:\n- b: |\n    c\n    d\n"
        );
    }
}
