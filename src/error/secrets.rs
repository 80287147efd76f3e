//! What was sent as a secret is no part of what comes back.
//!
//! Services, gateways and proxies quote what they did not like: the token in a message, the header in a page, the
//! request in a detail. So everything that becomes a text of ours goes through here first, and each secret that
//! was sent with the request is taken out, however it is spelled: as it is, escaped once or more often (JSON,
//! HTML, Rust), percent-encoded in whole or in part, in base64 of either alphabet and whatever stands around it,
//! in hexadecimal; also a part of a long one, and the beginning of any at the end of a text that was cut.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::Error;

const REDACTED: &str = "[redacted]";

/// So long a part of a secret is as good as the secret. A shorter one is looked for as a whole.
const PART: usize = 12;

/// So long a beginning is taken for that of a secret at the end of a text.
const BEGINNING: usize = 4;

/// Shorter ones are words, which count only where they stand alone.
const WORD: usize = 8;

/// Yet shorter ones have no other spelling that would not be found by chance.
const SPELLED: usize = 6;

/// Parts of the names of headers that hold a secret.
const NAMES: [&str; 10] = [
    "auth",
    "cookie",
    "credential",
    "key",
    "passwd",
    "password",
    "secret",
    "session",
    "signature",
    "token",
];

/// Whether a header of this name holds a secret.
fn is_secret(name: &HeaderName) -> bool {
    NAMES.iter().any(|part| name.as_str().contains(part))
}

/// What was sent as a secret with one request.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Known>);

#[derive(Default)]
struct Known {
    secrets: Vec<SecretString>,
    /// Made where they are looked for first.
    spellings: OnceLock<Spellings>,
}

impl Secrets {
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
        let secrets = secrets.map(SecretString::from).collect();
        Self(Arc::new(Known { secrets, spellings: OnceLock::new() }))
    }

    /// Those in the headers of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in headers.iter().filter(|(name, _)| is_secret(name)) {
            let text = String::from_utf8_lossy(value.as_bytes());
            if name.as_str().contains("cookie") {
                let values = text.split(';').filter_map(|pair| pair.split_once('='));
                secrets.extend(values.map(|(_, value)| value.trim().to_owned()));
            }
            // A scheme before it is none.
            let (scheme, secret) = text.split_once(' ').unwrap_or(("", &text));
            if scheme.eq_ignore_ascii_case("basic") {
                secrets.extend(of_basic(secret.trim()));
            }
            secrets.push(secret.trim().to_owned());
        }
        Self::new(secrets)
    }

    /// A text without them.
    pub(crate) fn redact(&self, text: &str) -> Option<String> {
        let mut redacted = String::with_capacity(text.len());
        let mut end = 0;
        let found = self.found(text.as_bytes());
        for range in &found {
            redacted.push_str(text.get(end..range.start).unwrap_or_default());
            redacted.push_str(REDACTED);
            end = range.end;
        }
        redacted.push_str(text.get(end..).unwrap_or_default());
        (!found.is_empty()).then_some(redacted)
    }

    /// Bytes of the same length without them, since something in there may count its bytes.
    pub(crate) fn mask(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let found = self.found(bytes);
        let mut masked = bytes.to_vec();
        for range in &found {
            masked[range.clone()].fill(b'*');
        }
        (!found.is_empty()).then_some(masked)
    }

    /// Takes them out of headers or trailers. Not out of the details of a status, which are not readable before
    /// they are decoded, and are redacted then.
    pub(crate) fn redact_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in headers.iter_mut() {
            if name == "grpc-status-details-bin" {
                continue;
            }
            let text = String::from_utf8_lossy(value.as_bytes());
            if let Some(redacted) = self.redact(&text) {
                let redacted = HeaderValue::try_from(redacted);
                *value = redacted.unwrap_or(HeaderValue::from_static(REDACTED));
            }
        }
    }

    /// Takes them out of what telemetry shows of an answer that is no error. The spellings of a long token take
    /// some time to make, so they are made only for what is not a usual name: a UUID, and no part of one.
    pub(crate) fn redact_request_id(&self, headers: &mut HeaderMap) {
        let Some(value) = headers.get("request-id") else { return };
        let id = value.as_bytes();
        let is_part = |secret: &SecretString| {
            let secret = secret.expose_secret().as_bytes();
            let length = PART.min(secret.len()).max(1);
            id.windows(length).any(|part| secret.windows(length).any(|other| part == other))
        };
        if !is_uuid(id) || self.0.secrets.iter().any(is_part) {
            self.redact_headers(headers);
        }
    }

    /// Where they are, in order, none within another, and each from one character to another.
    fn found(&self, text: &[u8]) -> Vec<Range<usize>> {
        if self.0.secrets.is_empty() || text.is_empty() {
            return Vec::new();
        }
        let spellings = self.0.spellings.get_or_init(|| Spellings::of(&self.0.secrets));
        let mut found = spellings.found(&Plain::of(text, false));
        if text.contains(&b'%') {
            found.extend(spellings.found(&Plain::of(text, true)));
        }
        for range in &mut found {
            // An escape belongs to what it escapes, and all bytes of a character to it.
            while range.start > 0
                && (text[range.start - 1] == b'\\' || is_within_character(text[range.start]))
            {
                range.start -= 1;
            }
            while text.get(range.end).copied().is_some_and(is_within_character) {
                range.end += 1;
            }
        }
        found.sort_unstable_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in found {
            match merged.last_mut().filter(|last| last.end >= range.start) {
                Some(last) => last.end = last.end.max(range.end),
                None => merged.push(range),
            }
        }
        merged
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// The name and the password in `Basic`, and the password alone (RFC 7617).
fn of_basic(text: &str) -> Vec<String> {
    let bytes = base64_simd::forgiving_decode_to_vec(text.as_bytes()).unwrap_or_default();
    let Ok(pair) = String::from_utf8(bytes) else { return Vec::new() };
    let password = pair.split_once(':').map(|(_, password)| password.to_owned());
    [Some(pair), password].into_iter().flatten().collect()
}

fn is_uuid(text: &[u8]) -> bool {
    let is_right = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.iter().enumerate().all(is_right)
}

fn is_within_character(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// A text as it is compared: in lower case, without backslashes, perhaps without percent-encoding; and where in
/// the original each byte begins and ends.
struct Plain {
    bytes: Vec<u8>,
    at: Vec<Range<usize>>,
}

impl Plain {
    fn of(text: &[u8], is_decoded: bool) -> Self {
        let mut plain = Self { bytes: Vec::with_capacity(text.len()), at: Vec::new() };
        let mut next = 0;
        while let Some(byte) = text.get(next) {
            let code =
                if is_decoded && *byte == b'%' { text.get(next + 1..next + 3) } else { None };
            let code = code.and_then(|code| std::str::from_utf8(code).ok());
            let (byte, length) = match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
                Some(decoded) => (decoded, 3),
                None => (*byte, 1),
            };
            if byte != b'\\' {
                plain.bytes.push(byte.to_ascii_lowercase());
                plain.at.push(next..next + length);
            }
            next += length;
        }
        plain
    }

    fn original(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.at.get(range.start).map_or(0, |at| at.start);
        let end = self.at.get(range.end.wrapping_sub(1)).map_or(start, |at| at.end);
        start..end
    }

    /// Whether a word begins and ends with the range.
    fn is_word(&self, range: &Range<usize>) -> bool {
        let is_letter = |at: Option<usize>| {
            at.and_then(|at| self.bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric)
        };
        !is_letter(range.start.checked_sub(1)) && !is_letter(Some(range.end))
    }
}

/// The spellings of some secrets, as they are compared.
struct Spellings {
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
    fn of(secrets: &[SecretString]) -> Self {
        let mut all: Vec<Spelling> = Vec::new();
        for secret in secrets {
            let secret = secret.expose_secret();
            let is_word = secret.len() < WORD;
            let others = if secret.len() < SPELLED { Vec::new() } else { spellings(secret) };
            for (text, is_word) in [(secret.to_owned(), is_word)]
                .into_iter()
                .chain(others.into_iter().map(|o| (o, false)))
            {
                let bytes = Plain::of(text.as_bytes(), false).bytes;
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

    fn found(&self, plain: &Plain) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for at in 0..plain.bytes.len().saturating_sub(PART - 1) {
            let part = plain.bytes.get(at..at + PART).and_then(|part| part.try_into().ok());
            if part.is_some_and(|part: [u8; PART]| self.parts.contains(&part)) {
                found.push(at..at + PART);
            }
        }
        for spelling in self.all.iter().filter(|spelling| !spelling.is_long()) {
            let length = spelling.bytes.len();
            let windows = plain.bytes.windows(length).enumerate();
            let same = windows.filter(|(_, window)| *window == spelling.bytes);
            found.extend(
                same.map(|(at, _)| at..at + length)
                    .filter(|range| !spelling.is_word || plain.is_word(range)),
            );
        }
        found.extend(self.all.iter().filter_map(|spelling| cut(&spelling.bytes, &plain.bytes)));
        found.iter().map(|range| plain.original(range)).collect()
    }
}

/// The beginning of a secret at the end of a text, and what says that the text was cut there.
fn cut(secret: &[u8], text: &[u8]) -> Option<Range<usize>> {
    let is_after =
        |byte: &u8| !matches!(byte, b'.' | b'"' | b'\'' | b' ' | b'\n' | 0xE2 | 0x80 | 0xA6);
    let end = text.iter().rposition(is_after).map_or(0, |last| last + 1);
    let most = secret.len().min(end);
    let lengths = (BEGINNING..=most).rev();
    let mut starts = lengths.map(|length| end - length);
    starts.find(|start| secret.starts_with(&text[*start..end])).map(|start| start..end)
}

/// A secret as programs write it. What percent-encoding and backslashes do is undone in the text.
fn spellings(secret: &str) -> Vec<String> {
    let unicode = |c: char| match c.is_ascii() {
        true => c.to_string(),
        false => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("u{unit:04x}")).collect(),
    };
    let html = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        c => c.to_string(),
    };
    let bytes: Vec<_> = secret.bytes().map(|byte| byte.to_string()).collect();
    let mut all = vec![
        secret.replace(' ', "+"),
        secret.chars().map(unicode).collect(),
        secret.chars().map(html).collect(),
        secret.escape_default().to_string(),
        secret.bytes().flat_map(std::ascii::escape_default).map(char::from).collect(),
        bytes.join(", "),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for before in 0..3 {
        let text = [&[0; 3][..before], secret.as_bytes()].concat();
        let standard = base64_simd::STANDARD_NO_PAD.encode_to_string(&text);
        // The digits at both ends have bits of what stands beside.
        let own = (before * 8).div_ceil(6)..text.len() * 8 / 6;
        let standard = standard.get(own).unwrap_or_default().to_owned();
        all.extend([standard.replace('+', "-").replace('/', "_"), standard]);
    }
    all
}

impl Error {
    /// The same error without what was sent as a secret.
    pub(crate) fn redacted(mut self, secrets: &Secrets) -> Self {
        let inner = &mut self.0;
        if let Some(message) = secrets.redact(&inner.message) {
            inner.message = message;
        }
        for detail in &mut inner.details {
            if let Some(type_url) = secrets.redact(&detail.type_url) {
                detail.type_url = type_url;
            }
            if let Some(value) = secrets.mask(&detail.value) {
                detail.value = value.into();
            }
        }
        let mut headers = std::mem::take(&mut inner.metadata).into_headers();
        secrets.redact_headers(&mut headers);
        inner.metadata = tonic::metadata::MetadataMap::from_headers(headers);
        if let Some(source) = &inner.source
            && let Some(redacted) = Redacted::of(&**source, secrets)
        {
            inner.source = Some(Box::new(redacted));
        }
        self
    }
}

/// What a cause said that had a secret in it.
#[derive(Debug)]
struct Redacted {
    text: String,
    source: Option<Box<Self>>,
}

impl Redacted {
    /// The causes without secrets; `None` if they have none.
    fn of(error: &(dyn StdError + 'static), secrets: &Secrets) -> Option<Self> {
        let mut is_clean = true;
        let mut texts = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            let redacted = secrets.redact(&text);
            is_clean &= redacted.is_none() && secrets.redact(&format!("{error:?}")).is_none();
            texts.push(redacted.unwrap_or(text));
            next = error.source();
        }
        if is_clean {
            return None;
        }
        let chain = texts.into_iter().rev();
        chain.fold(None, |source, text| Some(Self { text, source: source.map(Box::new) }))
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Redacted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
