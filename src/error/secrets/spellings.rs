//! The spellings in which programs write a secret.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

use super::text::Text;

/// A part of a secret with this length is treated like the secret. A shorter secret is looked for as a whole.
pub(super) const PART: usize = 12;

/// At the end of a text, this many first bytes of a secret count as the secret.
const BEGINNING: usize = 4;

/// Shorter secrets may be words, and are found only as whole words.
const WORD: usize = 8;

/// The other spellings of secrets shorter than this are too short: they would be found by chance.
const SPELLED: usize = 6;

/// The spellings of some secrets, in the form for comparing.
pub(super) struct Spellings {
    /// Each spelling, and whether it is found only as a whole word.
    all: HashMap<Vec<u8>, bool>,
    /// Every part of the long ones.
    parts: HashSet<[u8; PART]>,
}

/// Whether the parts of a spelling are looked for. A part of a shorter one may be a word of its own.
fn is_long(spelling: &[u8]) -> bool {
    spelling.len() >= PART + 4
}

impl Spellings {
    pub(super) fn of(secrets: &[SecretString]) -> Self {
        let mut all = HashMap::new();
        let mut add = |spelling: &str, is_word: bool| {
            let bytes = Text::of(spelling.as_bytes()).folded().bytes;
            if !bytes.is_empty() {
                *all.entry(bytes).or_insert(is_word) &= is_word;
            }
        };
        for secret in secrets.iter().map(ExposeSecret::expose_secret) {
            add(secret, secret.len() < WORD);
            if secret.len() >= SPELLED {
                spellings(secret).iter().for_each(|spelling| add(spelling, false));
            }
        }
        let long = all.keys().filter(|spelling| is_long(spelling));
        let parts = long.flat_map(|spelling| spelling.windows(PART));
        let parts = parts.filter_map(|part| part.try_into().ok()).collect();
        Self { all, parts }
    }

    pub(super) fn found(&self, text: &Text) -> Vec<Range<usize>> {
        let windows = text.bytes.windows(PART).enumerate();
        let parts = windows.filter(|(_, window)| self.parts.contains(*window));
        let mut found: Vec<_> = parts.map(|(at, _)| at..at + PART).collect();
        for (spelling, is_word) in self.all.iter().filter(|(spelling, _)| !is_long(spelling)) {
            let length = spelling.len();
            let windows = text.bytes.windows(length).enumerate();
            let same = windows.filter(|(_, window)| window == spelling);
            let ranges = same.map(|(at, _)| at..at + length);
            found.extend(ranges.filter(|range| !is_word || text.is_word(range)));
        }
        found.extend(self.all.keys().filter_map(|spelling| cut(spelling, &text.bytes)));
        found.iter().map(|range| text.original(range)).collect()
    }
}

/// The start of a secret at the end of a text, and the ellipsis that says that the text was cut there.
fn cut(secret: &[u8], text: &[u8]) -> Option<Range<usize>> {
    let is_after =
        |byte: &u8| !matches!(byte, b'.' | b'"' | b'\'' | b' ' | b'\n' | 0xE2 | 0x80 | 0xA6);
    let end = text.iter().rposition(is_after).map_or(0, |last| last + 1);
    // Longer beginnings consist of parts, which are found without this.
    let most = secret.len().min(end).min(PART + 4);
    let lengths = (BEGINNING..=most).rev();
    let mut starts = lengths.map(|length| end - length);
    starts.find(|start| secret.starts_with(&text[*start..end])).map(|start| start..end)
}

/// Returns a secret as programs write it. The text has its escapes undone, except surrogate pairs.
fn spellings(secret: &str) -> Vec<String> {
    let unicode = |c: char| match c.is_ascii() {
        true => c.to_string(),
        false => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("u{unit:04x}")).collect(),
    };
    let numbers: Vec<_> = secret.bytes().map(|byte| byte.to_string()).collect();
    let hex: Vec<_> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![
        secret.replace(' ', "+"),
        secret.chars().map(unicode).collect(),
        numbers.join(", "),
        numbers.join(","),
        hex.concat(),
        hex.join(":"),
        hex.join(" "),
    ];
    for before in 0..3 {
        let text = [&[0; 3][..before], secret.as_bytes()].concat();
        let standard = base64_simd::STANDARD_NO_PAD.encode_to_string(&text);
        // The digits at both ends also have bits of the neighbouring bytes.
        let own = (before * 8).div_ceil(6)..text.len() * 8 / 6;
        let standard = standard.get(own).unwrap_or_default().to_owned();
        all.extend([standard.replace('+', "-").replace('/', "_"), standard]);
    }
    all
}
