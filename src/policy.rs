//! The settings of a policy, as files hold them: the Web Console's export, base64, or the settings themselves.
//!
//! [`PolicyData::data`](crate::params::PolicyData::data) takes the last line of an export without the
//! product's name at its end, decoded from base64 once
//! ([ESET's page](https://help.eset.com/protect_admin/13.0/en-US/api_v2_policies_post.html)). A product takes
//! settings that it does not understand for empty ones and nobody is told, so [`Settings::read`] tells the
//! forms apart by what is in them and refuses what is none of them.
//!
//! ```
//! use eset_protect::policy::{Form, Settings};
//! use eset_protect::policy_management::v2::FeaturePolicy;
//!
//! let export = b"RVNFVCBQb2xpY3kgRXhwb3J0\n\
//!     eyJwb2xpY3kiOnsiZm9ybWF0IjoiMSIsImRhdGEiOnt9fX0=eset.local.products.endpoint\n";
//! let settings = Settings::read(export)?;
//! assert_eq!(settings.form, Form::Export);
//! assert_eq!(settings.product.as_deref(), Some("eset.local.products.endpoint"));
//! assert_eq!(&settings.data[..], br#"{"policy":{"format":"1","data":{}}}"#);
//!
//! let feature = FeaturePolicy::product(settings.product.unwrap_or_default(), settings.data);
//! # Ok::<(), eset_protect::policy::SettingsError>(())
//! ```

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Settings lie in so many layers of base64 at most, as far as anybody has seen.
const MAX_LAYERS: usize = 5;

/// The settings of a policy that a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// What [`PolicyData::data`](crate::params::PolicyData::data) takes.
    pub data: Bytes,
    /// The product that an export names, such as `eset.local.products.endpoint`.
    pub product: Option<String>,
    /// What the file is.
    pub form: Form,
}

/// What a file of settings is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// The Web Console's export, a `.dat` file: lines of text, the last of which is base64 with the product's
    /// name directly at its end. Base64 alone is decoded once.
    Export,
    /// Text that is base64, as JSON has it in `data`; decoded once.
    Base64,
    /// The settings themselves, taken as they are: JSON with the member `policy`, which an `ar` archive may
    /// follow.
    Plain,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Export => "an export of the Web Console",
            Self::Base64 => "base64 of settings",
            Self::Plain => "settings as they are",
        })
    }
}

impl Settings {
    /// Reads a file's content, whatever the file is called. White space around text and a byte order mark
    /// of UTF-8 do not count.
    ///
    /// # Errors
    ///
    /// If it is none of the [forms](Form); the error says what it looks like instead.
    pub fn read(content: &[u8]) -> Result<Self, SettingsError> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        if is_plain(content) {
            let data = Bytes::copy_from_slice(content);
            return Ok(Self { data, product: None, form: Form::Plain });
        }
        let text = str::from_utf8(content).map_err(|_| SettingsError::Other)?.trim();
        if text.is_empty() {
            return Err(SettingsError::Empty);
        }
        if let Some(data) = unwrapped(text).filter(|data| is_settings(data)) {
            return Ok(Self { data: data.into(), product: None, form: Form::Base64 });
        }
        let last = text.lines().next_back().unwrap_or_default().trim();
        if let Some((data, product)) = split_product(last) {
            let product = Some(product.to_owned());
            return Ok(Self { data: data.into(), product, form: Form::Export });
        }
        if let Some(data) = unwrapped(last).filter(|data| is_settings(data)) {
            return Ok(Self { data: data.into(), product: None, form: Form::Export });
        }
        Err(problem(text))
    }
}

/// Whether these bytes are settings as [`PolicyData::data`](crate::params::PolicyData::data) takes them: plain
/// or, as real policies are seen, in further layers of base64.
pub fn is_settings(data: &[u8]) -> bool {
    let mut data = Cow::Borrowed(data);
    for _ in 0..MAX_LAYERS {
        if is_plain(&data) {
            return true;
        }
        let Some(inner) = str::from_utf8(&data).ok().and_then(|text| unwrapped(text.trim())) else {
            return false;
        };
        data = Cow::Owned(inner);
    }
    false
}

/// JSON with the member `policy`, and then nothing or an archive.
fn is_plain(data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Container {
        policy: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        format: Option<IgnoredAny>,
        data: Option<IgnoredAny>,
    }
    let mut values = serde_json::Deserializer::from_slice(data).into_iter::<Container>();
    let Some(Ok(Container { policy })) = values.next() else { return false };
    let rest = data.get(values.byte_offset()..).unwrap_or_default();
    (policy.format.is_some() || policy.data.is_some())
        && (rest.iter().all(u8::is_ascii_whitespace) || is_archive(rest))
}

/// An archive of the Unix `ar`: a magic line, then members, each with a header of 60 bytes that ends with a
/// back-quote and a newline, and padded to an even length.
fn is_archive(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(b"!<arch>\n") else { return false };
    while !rest.is_empty() {
        let Some((header, body)) = rest.split_at_checked(60) else { return false };
        let size = header.get(48..58).and_then(|size| str::from_utf8(size).ok());
        let Some(size) = size.and_then(|size| size.trim().parse::<usize>().ok()) else {
            return false;
        };
        if !header.ends_with(b"`\n") || body.len() < size {
            return false;
        }
        // The last member may lack its padding.
        rest = body.get(size.next_multiple_of(2)..).unwrap_or_default();
    }
    true
}

/// One layer of base64, which may be broken into lines or stand in quotes as a JSON string.
fn unwrapped(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let joined: Cow<'_, str> = match text.contains(|c: char| c.is_ascii_whitespace()) {
        true => text.split_ascii_whitespace().collect::<String>().into(),
        false => text.into(),
    };
    if joined.is_empty() {
        return None;
    }
    let alphabet = match joined.len().is_multiple_of(4) {
        true => base64_simd::STANDARD,
        false => base64_simd::STANDARD_NO_PAD,
    };
    alphabet.decode_to_vec(joined.as_bytes()).ok()
}

/// Takes the product's name off the end of an export's last line. Letters and digits of the name are base64
/// as well, so the end of the base64 is where what it decodes to are settings.
fn split_product(line: &str) -> Option<(Vec<u8>, &str)> {
    let dot = line.find('.')?;
    // Base64 is ASCII and comes in groups of four characters.
    (0..=dot).rev().filter(|end| end.is_multiple_of(4)).take(16).find_map(|end| {
        let (base64, product) = line.split_at_checked(end)?;
        if !is_product(product) {
            return None;
        }
        let data = unwrapped(base64)?;
        is_settings(&data).then_some((data, product))
    })
}

/// A name such as `eset.local.products.endpoint`.
fn is_product(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    };
    name.contains('.') && name.split('.').all(is_part)
}

/// Why a file's content is not the settings of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SettingsError {
    /// It is empty.
    Empty,
    /// It is a request or a policy of the API, in JSON, which has the settings inside.
    Request,
    /// It is other JSON.
    Json,
    /// It is base64 of something else.
    Base64,
    /// It is something else.
    Other,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected the settings of a policy: an export of the Web Console (.dat), base64 of settings, or \
             settings as they are, which begin with {\"policy\": {\"format\": …}}; found ",
        )?;
        f.write_str(match self {
            Self::Empty => "nothing",
            Self::Request => "a request or a policy of the API, which has settings inside",
            Self::Json => "other JSON",
            Self::Base64 => "base64 of something else",
            Self::Other => "something else",
        })
    }
}

impl std::error::Error for SettingsError {}

/// What text looks like that is not settings.
fn problem(text: &str) -> SettingsError {
    use serde_json::Value;
    let is_request = |value: &Value| {
        let policy = value.get("policy").unwrap_or(value);
        ["displayName", "features", "configuration", "@type"]
            .iter()
            .any(|name| policy.get(name).is_some())
    };
    match serde_json::from_str::<Value>(text) {
        Ok(value) if is_request(&value) => SettingsError::Request,
        Ok(Value::Object(_) | Value::Array(_)) => SettingsError::Json,
        _ if unwrapped(text).is_some() => SettingsError::Base64,
        _ => SettingsError::Other,
    }
}
