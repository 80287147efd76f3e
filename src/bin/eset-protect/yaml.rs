//! Writes YAML that readers of YAML 1.1 and of YAML 1.2 take for the same values.
//!
//! They disagree about plain text: `no`, `1_000`, `12:30` and `=` are text to some of them only, so such text is quoted.

use serde::Serialize;
use serde_saphyr::{ser_options, to_string_with_options};

use crate::failure::Failure;

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
    use serde_json::{Value, json};

    use super::to_string;

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
                text: { "four": [null, true, 1e300, 1.5e-7, u64::MAX] },
                &long: [{ &long: { "five": 1 } }, 2],
            });
            let yaml = to_string(&value).unwrap();
            assert_eq!(serde_norway::from_str::<Value>(&yaml).unwrap(), value, "{yaml}");
        }
    }
}
