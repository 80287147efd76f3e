//! Escapes of JSON strings that are passed on without parsing.

use std::ops::Range;

/// Refuses lone halves of surrogate pairs, which serde_json accepts in text that it does not parse.
pub(crate) fn check_escapes(json: &str) -> Result<(), String> {
    match lone_half(json) {
        Some(half) => Err(format!("{} is half of a character", &json[half])),
        None => Ok(()),
    }
}

/// Replaces lone halves of surrogate pairs by U+FFFD; `None` if there are none.
pub(crate) fn replace_halves(json: &str) -> Option<String> {
    let mut replaced = String::new();
    let mut rest = json;
    while let Some(half) = lone_half(rest) {
        replaced.push_str(&rest[..half.start]);
        replaced.push_str("\\ufffd");
        rest = &rest[half.end..];
    }
    (rest.len() < json.len()).then(|| replaced + rest)
}

/// Returns the first escape that is a lone half of a surrogate pair.
fn lone_half(json: &str) -> Option<Range<usize>> {
    // The end of the last escape if it was the first half of a pair.
    let mut half = None;
    let mut from = 0;
    // In JSON an escape ends within the text and between characters. In other text the search ends with it.
    while let Some(rest) = json.get(from..)
        && let Some(at) = rest.find('\\').map(|found| from + found)
    {
        let digits = json.get(at + 1..at + 6).and_then(|escape| escape.strip_prefix('u'));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let is_second = unit.is_some_and(|unit| (0xDC00..=0xDFFF).contains(&unit));
        if half != is_second.then_some(at) {
            half = half.or(Some(at + 6));
            break;
        }
        from = at + if unit.is_some() { 6 } else { 2 };
        half = unit.filter(|unit| (0xD800..=0xDBFF).contains(unit)).map(|_| from);
    }
    half.map(|end| end - 6..end)
}
