//! A text in which secrets are looked for, with its escapes undone.

use std::ops::Range;

/// Some bytes, and where in the original each of them begins and ends.
#[derive(Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    at: Vec<Range<usize>>,
}

impl Text {
    pub(super) fn of(text: &[u8]) -> Self {
        let at = (0..text.len()).map(|at| at..at + 1).collect();
        Self { bytes: text.to_owned(), at }
    }

    /// The form for comparing: in lower case, without backslashes.
    pub(super) fn folded(&self) -> Self {
        let mut folded = Self::default();
        for (byte, at) in self.bytes.iter().zip(&self.at).filter(|(byte, _)| **byte != b'\\') {
            folded.bytes.push(byte.to_ascii_lowercase());
            folded.at.push(at.clone());
        }
        folded
    }

    /// Undoes one level of escapes; `None` if there are none.
    pub(super) fn unescaped(&self) -> Option<Self> {
        let mut unescaped = Self::default();
        let mut next = 0;
        while let Some(rest) = self.bytes.get(next..).filter(|rest| !rest.is_empty()) {
            let length = match escaped(rest) {
                Some((bytes, length)) => {
                    let at = self.original(&(next..next + length));
                    unescaped.at.extend(bytes.iter().map(|_| at.clone()));
                    unescaped.bytes.extend(bytes);
                    length
                }
                None => {
                    // No part of a run of backslashes begins an escape either. Each looks as far as the run's end.
                    let length = backslashes(rest).max(1);
                    unescaped.at.extend(self.at.iter().skip(next).take(length).cloned());
                    unescaped.bytes.extend(rest.iter().take(length));
                    length
                }
            };
            next += length;
        }
        (unescaped.bytes.len() < self.bytes.len()).then_some(unescaped)
    }

    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.at.get(range.start).map_or(0, |at| at.start);
        let end = self.at.get(range.end.wrapping_sub(1)).map_or(start, |at| at.end);
        start..end
    }

    /// Whether a word begins and ends with the range.
    pub(super) fn is_word(&self, range: &Range<usize>) -> bool {
        let is_letter = |at: Option<usize>| {
            at.and_then(|at| self.bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric)
        };
        !is_letter(range.start.checked_sub(1)) && !is_letter(Some(range.end))
    }
}

/// Returns the character of the escape at the start of a text, and the length of the escape.
fn escaped(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    match text.first()? {
        b'%' => Some((vec![byte(text.get(1..3)?)?], 3)),
        b'\\' => after_backslash(text),
        b'&' => entity(text),
        _ => None,
    }
}

/// `\u003d`, `\u{3d}` and `\x3d`, however often the backslash itself was escaped.
fn after_backslash(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let start = backslashes(text);
    match text.get(start..)? {
        [b'x', rest @ ..] => Some((vec![byte(rest.get(..2)?)?], start + 3)),
        [b'u', b'{', rest @ ..] => {
            let length = rest.iter().take(7).position(|byte| *byte == b'}')?;
            Some((character(rest.get(..length)?, 16)?, start + length + 3))
        }
        [b'u', rest @ ..] => Some((character(rest.get(..4)?, 16)?, start + 5)),
        _ => None,
    }
}

fn backslashes(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b'\\').count()
}

/// `&lt;`, `&#60;` and `&#x3c;`.
fn entity(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let end = text.iter().take(10).position(|byte| *byte == b';')?;
    let bytes = match text.get(1..end)? {
        b"amp" => b"&".to_vec(),
        b"lt" => b"<".to_vec(),
        b"gt" => b">".to_vec(),
        b"quot" => b"\"".to_vec(),
        b"apos" => b"'".to_vec(),
        [b'#', b'x' | b'X', digits @ ..] => character(digits, 16)?,
        [b'#', digits @ ..] => character(digits, 10)?,
        _ => return None,
    };
    Some((bytes, end + 1))
}

fn character(digits: &[u8], radix: u32) -> Option<Vec<u8>> {
    Some(char::from_u32(number(digits, radix)?)?.to_string().into_bytes())
}

fn byte(digits: &[u8]) -> Option<u8> {
    u8::try_from(number(digits, 16)?).ok()
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    // A sign is no digit.
    let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}
