//! Reads the settings of a policy from a Web Console export, base64 or plain settings.
//!
//! [`PolicyData::data`](crate::params::PolicyData::data) takes the last line of an export, without the
//! product name at its end, decoded from base64 once ([ESET's
//! page](https://help.eset.com/protect_admin/13.0/en-US/api_v2_policies_post.html)). A product silently
//! treats settings that it does not understand as empty. [`Settings::read`] therefore recognizes each form by
//! its content and refuses everything else.
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

/// The maximum number of base64 layers seen in real policies.
const MAX_LAYERS: usize = 5;

/// The settings of a policy, read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The value for [`PolicyData::data`](crate::params::PolicyData::data).
    pub data: Bytes,
    /// The product named by an export, such as `eset.local.products.endpoint`.
    pub product: Option<String>,
    /// The form in which the file contained the settings.
    pub form: Form,
}

/// The form in which a file contains settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A Web Console export (a `.dat` file): lines of text, the last of which is base64 followed directly by
    /// the product name. The name may be missing. The base64 is decoded once.
    Export,
    /// Base64 text, as in the JSON member `data`; decoded once.
    Base64,
    /// Plain settings, used unchanged: JSON with the member `policy`, optionally followed by an `ar` archive.
    Plain,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Export => "a Web Console export",
            Self::Base64 => "base64-encoded settings",
            Self::Plain => "plain settings",
        })
    }
}

impl Settings {
    /// Reads the content of a file, whatever its name. Ignores surrounding white space and a UTF-8 byte order
    /// mark.
    ///
    /// # Errors
    ///
    /// Fails if the content has none of the [forms](Form). The error says what the content looks like
    /// instead.
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

/// Whether these bytes are settings that [`PolicyData::data`](crate::params::PolicyData::data) accepts:
/// plain, or inside further layers of base64, as in some real policies.
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

/// Whether this is JSON with the member `policy`, followed by nothing or an archive.
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

/// Whether this is a Unix `ar` archive: a magic line, then members. Each member has a header of 60 bytes that
/// ends with a backquote and a newline, and is padded to an even length.
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

/// Decodes one layer of base64, which may be broken into lines or quoted as a JSON string.
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

/// Splits the product name from the last line of an export. Letters and digits of the name are valid base64
/// too, so this looks for the split where the base64 decodes to settings.
fn split_product(line: &str) -> Option<(Vec<u8>, &str)> {
    let dot = line.find('.')?;
    // Base64 is ASCII in groups of four characters.
    (0..=dot).rev().filter(|end| end.is_multiple_of(4)).take(16).find_map(|end| {
        let (base64, product) = line.split_at_checked(end)?;
        if !is_product(product) {
            return None;
        }
        let data = unwrapped(base64)?;
        is_settings(&data).then_some((data, product))
    })
}

/// Whether this is a product name such as `eset.local.products.endpoint`.
fn is_product(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    };
    name.contains('.') && name.split('.').all(is_part)
}

/// The reason why the content of a file is not policy settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SettingsError {
    /// The content is empty.
    Empty,
    /// A request or policy in the API's JSON, which contains the settings.
    Request,
    /// Other JSON.
    Json,
    /// Base64 of something else.
    Base64,
    /// Anything else.
    Other,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected policy settings: a Web Console export (.dat), base64-encoded settings, or plain \
             settings, which begin with {\"policy\": {\"format\": …}}; found ",
        )?;
        f.write_str(match self {
            Self::Empty => "nothing",
            Self::Request => "a request or policy of the API, which contains settings",
            Self::Json => "other JSON",
            Self::Base64 => "base64 of something else",
            Self::Other => "something else",
        })
    }
}

impl std::error::Error for SettingsError {}

/// Returns what the text looks like, given that it is not settings.
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
