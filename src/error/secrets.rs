//! Redacts secrets that were sent with a request from everything that comes back.
//!
//! Services, gateways and proxies quote what they did not accept: the token in a message, the header in a
//! page, the request in a detail. Therefore every text that becomes part of an error passes through this
//! module first. It removes each secret that was sent with the request in the spellings that programs use:
//! plain; escaped for JSON, HTML, Rust or URLs, completely or in part, up to three times over; in base64 of
//! either alphabet, whatever surrounds it; and as a list of byte values. It also removes parts of long
//! secrets, and the start of any secret at the end of a truncated text. A server that deliberately leaks a
//! secret can always find another spelling; this protects against those that merely quote what they received.

mod spellings;
mod text;

use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use self::spellings::Spellings;
use self::text::Text;
use super::{Error, REQUEST_ID, cause};

const REDACTED: &str = "[redacted]";

/// How many levels of escapes to undo: text in text in text.
const ESCAPED: usize = 3;

/// Parts of header names that indicate a secret.
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

/// Whether a header of this name contains a secret.
fn is_secret(name: &HeaderName) -> bool {
    NAMES.iter().any(|part| name.as_str().contains(part))
}

/// The secrets that were sent with a request.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Known>);

#[derive(Default)]
struct Known {
    secrets: Vec<SecretString>,
    /// Computed when first used.
    spellings: OnceLock<Spellings>,
}

impl Secrets {
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
        let secrets = secrets.map(SecretString::from).collect();
        Self(Arc::new(Known { secrets, spellings: OnceLock::new() }))
    }

    /// Collects the secrets in the headers of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in headers.iter().filter(|(name, _)| is_secret(name)) {
            let text = String::from_utf8_lossy(value.as_bytes());
            if name.as_str().contains("cookie") {
                let values = text.split(';').filter_map(|pair| pair.split_once('='));
                secrets.extend(values.map(|(_, value)| value.trim().to_owned()));
            }
            // The authentication scheme in front of a secret is not secret.
            let (scheme, secret) = text.split_once(' ').unwrap_or(("", &text));
            if scheme.eq_ignore_ascii_case("basic") {
                secrets.extend(of_basic(secret.trim()));
            }
            secrets.push(secret.trim().to_owned());
        }
        Self::new(secrets)
    }

    /// Redacts a text; `None` if it contains no secrets.
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

    /// Masks bytes without changing their length, which other bytes may encode.
    pub(crate) fn mask(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let found = self.found(bytes);
        let mut masked = bytes.to_vec();
        for range in &found {
            masked[range.clone()].fill(b'*');
        }
        (!found.is_empty()).then_some(masked)
    }

    /// Redacts headers or trailers, except the status details: these are redacted after they are decoded.
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

    /// Redacts the request id of a successful response, which telemetry shows. Computing the spellings of a
    /// long token is slow, so it happens only if the id is neither a UUID nor otherwise harmless.
    pub(crate) fn redact_request_id(&self, headers: &mut HeaderMap) {
        let Some(value) = headers.get(REQUEST_ID).filter(|_| !self.0.secrets.is_empty()) else {
            return;
        };
        let id = value.as_bytes();
        let is_part = |secret: &SecretString| {
            let secret = secret.expose_secret().as_bytes();
            let length = spellings::PART.min(secret.len()).max(1);
            // Every response passes here, and a part of a token hardly ever looks like part of a UUID.
            let runs = secret.split(|byte| !is_of_uuid(*byte)).filter(|run| run.len() >= length);
            let mut parts = runs.flat_map(|run| run.windows(length));
            parts.any(|part| id.windows(length).any(|other| part == other))
        };
        if !is_uuid(id) || self.0.secrets.iter().any(is_part) {
            self.redact_headers(headers);
        }
    }

    /// Returns the places of secrets, in order, without overlaps, on character boundaries.
    fn found(&self, text: &[u8]) -> Vec<Range<usize>> {
        if self.0.secrets.is_empty() || text.is_empty() {
            return Vec::new();
        }
        let spellings = self.0.spellings.get_or_init(|| Spellings::of(&self.0.secrets));
        let mut found = Vec::new();
        let mut layer = Some(Text::of(text));
        for _ in 0..=ESCAPED {
            let Some(text) = layer else { break };
            found.extend(spellings.found(&text.folded()));
            layer = text.unescaped();
        }
        for range in &mut found {
            // Extends each place to whole escapes and whole characters.
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

/// Returns the pair of name and password in `Basic`, and the password alone (RFC 7617).
fn of_basic(text: &str) -> Vec<String> {
    let bytes = base64_simd::forgiving_decode_to_vec(text.as_bytes()).unwrap_or_default();
    let Ok(pair) = String::from_utf8(bytes) else { return Vec::new() };
    let password = pair.split_once(':').map(|(_, password)| password.to_owned());
    [Some(pair), password].into_iter().flatten().collect()
}

/// Whether a UUID can contain this byte.
fn is_of_uuid(byte: u8) -> bool {
    byte == b'-' || byte.is_ascii_hexdigit()
}

/// Whether this is a UUID by its form (RFC 9562).
pub fn is_uuid(text: &[u8]) -> bool {
    let is_right = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.iter().enumerate().all(is_right)
}

fn is_within_character(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

impl Error {
    /// Redacts an error.
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
            inner.source = Some(Arc::new(redacted));
        }
        self
    }
}

/// A cause whose text contained a secret.
#[derive(Debug)]
struct Redacted {
    text: String,
    source: Option<Box<Self>>,
}

impl Redacted {
    /// Redacts the causes; `None` if they contain no secrets.
    fn of(error: &(dyn StdError + 'static), secrets: &Secrets) -> Option<Self> {
        let mut is_clean = true;
        let mut texts = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            let redacted = secrets.redact(&text);
            is_clean &= redacted.is_none() && secrets.redact(&format!("{error:?}")).is_none();
            texts.push(redacted.unwrap_or(text));
            next = cause(error);
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
