//! The text of JSON numbers.

use std::sync::LazyLock;

/// The member with which serde_json passes numbers if any crate in the program enables its feature
/// `arbitrary_precision`.
const ARBITRARY_PRECISION: &str = "$serde_json::private::Number";

/// Whether serde_json uses a member of this name to pass a number. Without its feature, which alone supports
/// numbers beyond f64, it is an ordinary name.
pub(crate) fn is_arbitrary_precision(name: &str) -> bool {
    static ON: LazyLock<bool> =
        LazyLock::new(|| serde_json::from_str::<serde_json::Number>("1e400").is_ok());
    name == ARBITRARY_PRECISION && *ON
}

/// Parses a JSON number that is a whole number, within the range of all integer types. Exact for texts of any length.
pub(super) fn whole(text: &str) -> Option<i128> {
    plain_digits(text).map(i128::from).or_else(|| whole_number(text))
}

/// Parses at most 19 digits, which fit into a `u64`: the usual form of integers.
fn plain_digits(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 19 || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.bytes().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0'))
    })
}

/// Parses any JSON number that is a whole number.
#[cold]
fn whole_number(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !is_json_number(text) {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    // The digits, and the position of the point among them after applying the exponent.
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let trimmed = all.trim_end_matches('0');
    if trimmed.is_empty() {
        return Some(0);
    }
    let exponent = exponent.parse::<i64>().ok()?;
    let point = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
    let significant = i64::try_from(trimmed.len()).ok()?;
    // 30 digits are more than any integer type has.
    if point < significant || point - significant > 30 {
        return None;
    }
    let zeros = usize::try_from(point - significant).ok()?;
    let sign = if text.starts_with('-') { "-" } else { "" };
    format!("{sign}{trimmed}{}", "0".repeat(zeros)).parse().ok()
}

/// Whether the text is a number in the grammar of JSON (RFC 8259, 6).
pub(super) fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// Shortens a text for an error.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 64;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Parses a number that an `f64` can be.
pub(crate) fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Describes a number that no `f64` can be.
pub(crate) fn out_of_range(text: &str) -> String {
    format!("number out of range: {}", shortened(text))
}
