//! Policies as code: reads the settings of a policy from files, and reads and writes the container that ESET
//! keeps them in.
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

mod archive;
#[cfg(feature = "policies-as-code")]
mod assignment;
mod container;
#[cfg(feature = "policies-as-code")]
mod document;
mod error;
#[cfg(feature = "policies-as-code")]
mod export;
#[cfg(feature = "policies-as-code")]
mod file;
#[cfg(feature = "policies-as-code")]
mod flags;
mod layer;
#[cfg(feature = "policies-as-code")]
mod lzma;
#[cfg(feature = "policies-as-code")]
mod path;
#[cfg(feature = "policies-as-code")]
mod read;
#[cfg(feature = "policies-as-code")]
mod setting;
#[cfg(feature = "policies-as-code")]
mod settings;

use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

#[cfg(feature = "policies-as-code")]
pub use assignment::{AssignmentFile, Target};
pub use container::Container;
pub use error::{ContainerError, ContainerProblem};
#[cfg(feature = "policies-as-code")]
pub use file::{
    ExportFile, FeatureFile, FileError, FlagsFile, PolicyFile, SettingFile, container_of,
};
#[cfg(feature = "policies-as-code")]
pub use path::{PathError, SettingPath};
#[cfg(feature = "policies-as-code")]
pub use setting::{NewSetting, Setting, SettingValue};
#[cfg(feature = "policies-as-code")]
pub use settings::{Contents, EditError};

use container::MAX_LAYERS;
use layer::Layer;

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
    frame: Frame,
}

/// What a file has around its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Frame {
    /// The byte order mark, the lines before the settings, and white space.
    before: Bytes,
    /// How the base64 is written; `None` for plain settings.
    layer: Option<Layer>,
    /// White space after the settings and the product.
    after: Bytes,
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
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let after_mark = content.strip_prefix(MARK).unwrap_or(content);
        if is_plain(after_mark) {
            let mark = content.get(..content.len() - after_mark.len()).unwrap_or_default();
            let frame = Frame { before: Bytes::copy_from_slice(mark), ..Frame::default() };
            let data = Bytes::copy_from_slice(after_mark);
            return Ok(Self { data, product: None, form: Form::Plain, frame });
        }
        let whole = str::from_utf8(after_mark).map_err(|_| SettingsError::Other)?;
        let text = whole.trim();
        if text.is_empty() {
            return Err(SettingsError::Empty);
        }
        let end = content.len() - (whole.len() - whole.trim_end().len());
        let made = |form, base64: &str, product: Option<&str>| {
            let (layer, data) = Layer::read(base64.as_bytes()).ok()?;
            let start = end.checked_sub(base64.len() + product.map_or(0, str::len))?;
            let before = Bytes::copy_from_slice(content.get(..start)?);
            let after = Bytes::copy_from_slice(content.get(end..)?);
            let frame = Frame { before, layer: Some(layer), after };
            let product = product.map(str::to_owned);
            is_settings(&data).then(|| Self { data: data.into(), product, form, frame })
        };
        let last = text.lines().next_back().unwrap_or_default().trim();
        let export = || {
            let split = splits(last)
                .find_map(|(base64, product)| made(Form::Export, base64, Some(product)));
            split.or_else(|| made(Form::Export, last, None))
        };
        made(Form::Base64, text, None).or_else(export).ok_or_else(|| problem(text))
    }

    /// Writes the file with these settings and this product. Everything else is as it was: the lines before the
    /// settings, line ends, padding. What [`read`](Self::read) read comes out byte for byte.
    pub fn write(&self) -> Vec<u8> {
        let Self { data, product, frame, .. } = self;
        let data = frame.layer.as_ref().map_or_else(|| data.to_vec(), |layer| layer.write(data));
        let product = product.as_deref().unwrap_or_default().as_bytes();
        [&frame.before[..], &data, product, &frame.after].concat()
    }
}

/// Whether these bytes are settings that [`PolicyData::data`](crate::params::PolicyData::data) accepts: a
/// [`Container`] whose JSON has the member `policy`, with at most four layers of base64, since `data` is itself
/// base64 in JSON.
pub fn is_settings(data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Root {
        policy: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        format: Option<IgnoredAny>,
        data: Option<IgnoredAny>,
    }
    let Ok(container) = Container::decode(Bytes::copy_from_slice(data)) else { return false };
    let root = serde_json::from_str(container.json());
    let is_policy = |root: Root| root.policy.format.is_some() || root.policy.data.is_some();
    container.layers() < MAX_LAYERS && root.is_ok_and(is_policy)
}

fn is_plain(content: &[u8]) -> bool {
    content.trim_ascii_start().starts_with(b"{") && is_settings(content)
}

/// Decodes one layer of base64.
fn unwrapped(text: &str) -> Option<Vec<u8>> {
    Layer::read(text.as_bytes()).ok().map(|(_, inner)| inner)
}

/// Splits the product name from the last line of an export. Letters and digits of the name are valid base64
/// too, so this returns every split at which the base64 may end.
fn splits(line: &str) -> impl Iterator<Item = (&str, &str)> {
    // Base64 is ASCII in groups of four characters.
    let ends = line.find('.').into_iter().flat_map(|dot| (0..=dot).rev());
    let ends = ends.filter(|end| end.is_multiple_of(4)).take(16);
    let splits = ends.filter_map(|end| line.split_at_checked(end));
    splits.filter(|(_, product)| is_product(product))
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
