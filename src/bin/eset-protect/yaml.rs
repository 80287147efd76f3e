//! Reads YAML 1.2, and writes what readers of YAML 1.1 and of YAML 1.2 take for the same values.
//!
//! They disagree about plain text: `no`, `1_000`, `12:30` and `=` are text to some of them only, so such text is quoted.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{
    Error, MergeKeyPolicy, UserMessageFormatter, alias_limits, budget, from_multiple_with_options,
    options, ser_options, to_string_with_options,
};

use crate::failure::Failure;
use crate::wording::misread;

/// Deeper than any message is nested. The reader calls itself at each level, and the stack must suffice.
const MAX_DEPTH: usize = 64;
/// More than fit into the largest file.
const MAX_NODES: usize = 64 * 1024 * 1024;
/// How much aliases may repeat.
const MAX_REPEATED: usize = 100_000;
/// From 2^64 on, the reader rounds whole numbers.
const INEXACT: f64 = 18_446_744_073_709_551_616.0;

/// Reads the document in a text. An error names the line and the member.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut values = documents(text)?;
    let found = values.len();
    let (Some(value), 1) = (values.pop(), found) else {
        return Err(format!("expected one document, found {found}"));
    };
    parse::<T>(text)
        .map_err(|error| {
            let line = error.location().map_or(1, |location| location.line());
            misread::<T>(value, line).unwrap_or_else(|| in_words(&error))
        })?
        .pop()
        .ok_or_else(|| "expected one document, found none".to_owned())
}

/// Reads the documents in a text that have a value.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let documents = parse(text).map_err(|error| in_words(&error))?;
    documents.iter().try_for_each(expect_exact)?;
    Ok(documents)
}

fn in_words(error: &Error) -> String {
    let words = error.render_with_formatter(&UserMessageFormatter);
    words.replace("mapping start", "an object").replace("sequence start", "a list")
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, Error> {
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
