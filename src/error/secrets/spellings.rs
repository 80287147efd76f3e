//! The spellings in which programs write a secret.

use std::collections::HashSet;
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
    all: Vec<Spelling>,
    /// Every part of the long ones.
    parts: HashSet<[u8; PART]>,
}

struct Spelling {
    bytes: Vec<u8>,
    is_word: bool,
}

impl Spelling {
    /// A part of a shorter one may be a word of its own.
    fn is_long(&self) -> bool {
        self.bytes.len() >= PART + 4
    }
}

impl Spellings {
    pub(super) fn of(secrets: &[SecretString]) -> Self {
        let mut all: Vec<Spelling> = Vec::new();
        for secret in secrets {
            let secret = secret.expose_secret();
            let is_word = secret.len() < WORD;
            let others = if secret.len() < SPELLED { Vec::new() } else { spellings(secret) };
            for (text, is_word) in [(secret.to_owned(), is_word)]
                .into_iter()
                .chain(others.into_iter().map(|o| (o, false)))
            {
                let bytes = Text::of(text.as_bytes()).folded().bytes;
                let is_known = all.iter().any(|known| known.bytes == bytes);
                if !bytes.is_empty() && !is_known {
                    all.push(Spelling { bytes, is_word });
                }
            }
        }
        let long = all.iter().filter(|spelling| spelling.is_long());
        let parts = long.flat_map(|spelling| spelling.bytes.windows(PART));
        let parts = parts.filter_map(|part| part.try_into().ok()).collect();
        Self { all, parts }
    }

    pub(super) fn found(&self, text: &Text) -> Vec<Range<usize>> {
        let windows = text.bytes.windows(PART).enumerate();
        let parts = windows.filter(|(_, window)| self.parts.contains(*window));
        let mut found: Vec<_> = parts.map(|(at, _)| at..at + PART).collect();
        for spelling in self.all.iter().filter(|spelling| !spelling.is_long()) {
            let length = spelling.bytes.len();
            let windows = text.bytes.windows(length).enumerate();
            let same = windows.filter(|(_, window)| *window == spelling.bytes);
            found.extend(
                same.map(|(at, _)| at..at + length)
                    .filter(|range| !spelling.is_word || text.is_word(range)),
            );
        }
        found.extend(self.all.iter().filter_map(|spelling| cut(&spelling.bytes, &text.bytes)));
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
