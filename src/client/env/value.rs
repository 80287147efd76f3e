//! Parses values. Errors say what was expected.

use std::time::Duration;

/// The maximum number of calls per second.
const MAX_RATE: u32 = 10_000;
/// gRPC's own limit: eight digits of the unit (gRPC over HTTP/2, `Timeout`).
const MAX_TIMEOUT: u128 = 99_999_999;

/// Parses a time such as `30s`, greater than zero.
pub fn duration(text: &str) -> Result<Duration, String> {
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
        Some(0) => Err("expected a time greater than zero".to_owned()),
        // Greater than any limit.
        milliseconds => Ok(milliseconds.map_or(Duration::MAX, Duration::from_millis)),
    }
}

pub(crate) fn timeout(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        time if time.as_millis() <= MAX_TIMEOUT => Ok(time),
        _ => Err("expected at most 27 hours".to_owned()),
    }
}

pub(super) fn attempts(text: &str) -> Result<u32, String> {
    let attempts = text.parse().ok().filter(|attempts| *attempts > 0);
    attempts.ok_or_else(|| format!("expected a number from 1 to {}", u32::MAX))
}

/// Parses a number of calls per second; 0 means no limit.
pub(super) fn rate(text: &str) -> Result<u32, String> {
    let calls = if text == "off" { Some(0) } else { text.parse().ok() };
    calls.filter(|calls| *calls <= MAX_RATE).ok_or_else(|| {
        format!("expected calls a second, from 1 to {MAX_RATE}, or 0 or `off` for no limit")
    })
}

#[cfg(feature = "rest")]
pub(super) fn wire(text: &str) -> Result<super::super::Wire, String> {
    use super::super::Wire;
    match &*text.to_ascii_lowercase() {
        "grpc" => Ok(Wire::Grpc),
        "rest" => Ok(Wire::Rest),
        "auto" => Ok(Wire::Auto),
        _ => Err("expected grpc, rest or auto".to_owned()),
    }
}
