//! Reads YAML 1.2, and writes what readers of YAML 1.1 and of YAML 1.2 take for the same values.
//!
//! They disagree about plain text: `no`, `1_000`, `12:30` and `=` are text to some of them only, so such text is quoted.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{
    MergeKeyPolicy, UserMessageFormatter, alias_limits, budget, from_multiple_with_options,
    options, ser_options, to_string_with_options,
};

use crate::failure::Failure;

/// Deeper than any message is nested. The reader calls itself at each level, and the stack must suffice.
const MAX_DEPTH: usize = 64;
/// More than fit into the largest file.
const MAX_NODES: usize = 64 * 1024 * 1024;
/// How much aliases may repeat.
const MAX_REPEATED: usize = 100_000;
/// From 2^64 on, the reader rounds whole numbers.
const INEXACT: f64 = 18_446_744_073_709_551_616.0;

/// Reads the document in a text.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    documents(text)?;
    let documents = parse::<T>(text)?;
    let found = documents.len();
    let [document] = <[T; 1]>::try_from(documents)
        .map_err(|_| format!("expected one document, found {found}"))?;
    Ok(document)
}

/// Reads the documents in a text that have a value.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let documents = parse(text)?;
    documents.iter().try_for_each(expect_exact)?;
    Ok(documents)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, String> {
    let options = options! {
        budget: budget! {
            max_depth: MAX_DEPTH,
            max_events: MAX_NODES,
            max_nodes: MAX_NODES,
            max_total_scalar_bytes: MAX_NODES,
            max_documents: MAX_NODES,
            max_recorded_anchor_events: MAX_REPEATED,
        },
        alias_limits: alias_limits! { max_total_replayed_events: MAX_REPEATED },
        ignore_binary_tag_for_string: true,
        leading_zero_numbers_as_strings: true,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        reject_unsupported_tags: true,
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    from_multiple_with_options(text, options)
        .map_err(|error| error.render_with_formatter(&UserMessageFormatter))
}

/// Refuses numbers that the reader may have rounded.
fn expect_exact(value: &Value) -> Result<(), String> {
    match value {
        Value::Number(number) if number.is_f64() => match number.as_f64() {
            Some(float) if float.abs() >= INEXACT => {
                Err(format!("expected a number below 2^64, or in quotes, found {number}"))
            }
            _ => Ok(()),
        },
        Value::Array(elements) => elements.iter().try_for_each(expect_exact),
        Value::Object(members) => members.values().try_for_each(expect_exact),
        _ => Ok(()),
    }
}

/// Returns the content of a document, in lines.
pub fn to_string(value: &impl Serialize) -> Result<String, Failure> {
    // Text of one line stays on one, for whoever compares files by lines.
    let options = ser_options! { folded_wrap_chars: usize::MAX };
    to_string_with_options(value, options)
        .map_err(|error| Failure::Other(format!("cannot be written as YAML: {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_stays_text_to_every_reader() {
        let words = "1e400 = << no Yes ON off y 12:30 1_000 2026-01-01 0x1F 0o7 010 ~ null .inf -.INF .nan +1 \
                     1. .5 # --- ... *a &a !a @a %a | > ? [ { \" 0b1 190:20:30";
        let cases =
            words.split(' ').chain(["", " a", "a ", "- a", "a: b", "a #b", "\u{85}", "\u{2028}"]);
        for case in cases {
            let yaml = to_string(&json!({ "a": [case] })).unwrap();
            assert!(yaml.starts_with("a:\n- '") || yaml.starts_with("a:\n- \""), "{case}: {yaml}");
        }
        for plain in ["Scan the till", "a-b/c.d", "Żółw", "yesterday", "e1"] {
            assert_eq!(to_string(&json!(plain)).unwrap().trim_end(), plain);
        }
    }

    #[test]
    fn structure_is_read_back() {
        let texts = "a\nb|a\n|a\n\n\nb\n\n|\na| a\nb|a\r\nb|a\n  b\n c|a\n\tb|a\n---\nb|\n|\u{7f}\u{feff}\t";
        let long = "k".repeat(2000);
        for text in texts.split('|') {
            let value = json!({
                "one": [text, [[text], []], { "two": text, "three": [{}] }],
                text: { "four": [null, true, 1e18, 1.5e-7, u64::MAX] },
                &long: [{ &long: { "five": 1 } }, 2],
            });
            let yaml = to_string(&value).unwrap();
            assert_eq!(read::<Value>(&yaml).unwrap(), value, "{yaml}");
        }
    }

    #[test]
    fn text_is_read_as_yaml_1_2() {
        let text = "a: [yes, off, 010, 1_000, 12:30, 2026-01-01]\nb: [true, 0x1F, -1, 1.5, ~, 18446744073709551615]";
        let value = json!({
            "a": ["yes", "off", "010", "1_000", "12:30", "2026-01-01"],
            "b": [true, 31, -1, 1.5, null, u64::MAX],
        });
        assert_eq!(read::<Value>(text).unwrap(), value);
        assert_eq!(documents("a: 1\n---\n- 2\n").unwrap(), [json!({ "a": 1 }), json!([2])]);
    }

    #[test]
    fn what_would_be_lost_or_endless_is_refused() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for (text, expected) in [
            ("a: 1\na: 2", "duplicate mapping key `a` is not allowed here at line 2, column 1"),
            ("a: 18446744073709551616", "expected a number below 2^64, or in quotes"),
            ("a: -1e300", "expected a number below 2^64, or in quotes"),
            ("a: .nan", "not a finite number at line 1, column 4"),
            ("a: !x y", "tag"),
            ("a: [", "at line 1, column 4"),
            ("a: *b", "at line 1, column 4"),
            ("a: 1\n---\nb: 2", "expected one document, found 2"),
            ("", "expected one document, found 0"),
            (&deep, "at line 1, column "),
        ] {
            let error = read::<Value>(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
