//! Times as people write them.

use std::time::Duration;

/// A time such as `30s`, of more than nothing.
pub fn parse(text: &str) -> Result<Duration, String> {
    let expected = "expected a number with a unit, such as 500ms, 30s, 2m or 1h";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let number: u64 = digits.parse().map_err(|_| expected.to_owned())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err(expected.to_owned()),
    };
    match milliseconds {
        Some(0) => Err("expected more than no time at all".to_owned()),
        // More than any limit that a flag has.
        milliseconds => Ok(milliseconds.map_or(Duration::MAX, Duration::from_millis)),
    }
}
