//! Escapes of JSON strings that are passed on without parsing.

/// Refuses lone halves of surrogate pairs, which serde_json accepts in text that it does not parse.
pub(crate) fn check_escapes(json: &str) -> Result<(), String> {
    // The end of the last escape if it was the first half of a pair.
    let mut half = None;
    let mut from = 0;
    while let Some(at) = json[from..].find('\\').map(|found| from + found) {
        let digits = json.get(at + 2..at + 6).filter(|_| json[at + 1..].starts_with('u'));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let is_second = unit.is_some_and(|unit| (0xDC00..=0xDFFF).contains(&unit));
        if half != is_second.then_some(at) {
            half = half.or(Some(at + 6));
            break;
        }
        from = at + if unit.is_some() { 6 } else { 2 };
        half = unit.filter(|unit| (0xD800..=0xDBFF).contains(unit)).map(|_| from);
    }
    match half {
        Some(end) => Err(format!("{} is half of a character", &json[end - 6..end])),
        None => Ok(()),
    }
}
