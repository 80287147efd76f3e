//! Reads and changes the settings in a container.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::container::Container;
use super::document::{self, Entry};
use super::error::ContainerError;
use super::lzma::{self, MAX_UNPACKED};
use super::path::SettingPath;
use super::setting::{self, NewSetting, Setting, SettingValue};

/// What a container contains.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Contents {
    /// The settings in the order of the container.
    pub settings: Vec<Setting>,
    /// The parts that could not be read. [`Container::encode`] keeps them as they are.
    pub unread: Vec<ContainerError>,
}

/// The reason why a setting was not changed. The container is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum EditError {
    /// There is no setting with this path.
    NotFound(SettingPath),
    /// There is a setting or group with this path already.
    Exists(SettingPath),
    /// The setting with this path is an element of an array, whose flags are those of the whole array.
    Element(SettingPath),
    /// The value of the setting with this path is not text.
    NoText(SettingPath),
    /// The part of the container with the setting cannot be read.
    Unread(ContainerError),
    /// The archive member could not be compressed.
    Compress(io::Error),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(path) => write!(f, "there is no setting {path}"),
            Self::Exists(path) => write!(f, "there is a setting or group {path} already"),
            Self::Element(path) => {
                write!(f, "{path} is in an array; expected the path of the whole array")
            }
            Self::NoText(path) => write!(f, "the value of the setting {path} is not text"),
            Self::Unread(error) => error.fmt(f),
            Self::Compress(error) => write!(f, "cannot compress the settings: {error}"),
        }
    }
}

impl std::error::Error for EditError {}

impl From<ContainerError> for EditError {
    fn from(error: ContainerError) -> Self {
        Self::Unread(error)
    }
}

/// Settings in the JSON and in archive members whose names end with `.lzma`. Other members are kept unread.
impl Container {
    /// Reads all settings. Parts that cannot be read are listed in [`Contents::unread`]. Decompresses at most
    /// 16 MiB.
    pub fn contents(&self) -> Contents {
        let mut contents = Contents { settings: Vec::new(), unread: Vec::new() };
        let mut left = MAX_UNPACKED;
        let names = self.archive.iter().flat_map(|archive| &archive.members);
        let members = names.map(|member| Some(Arc::from(member.name())));
        for (index, member) in std::iter::once(None).chain(members).enumerate() {
            let is_settings = member.as_ref().is_none_or(|name: &Arc<str>| name.ends_with(".lzma"));
            let settings = &mut contents.settings;
            let read = || -> Result<(), ContainerError> {
                let part = self.part(index, left)?;
                left = left.saturating_sub(part.len());
                setting::collect(&part, &document::read(&part)?, member.as_ref(), settings)
            };
            if is_settings && let Err(error) = { read }() {
                contents.unread.push(self.named(error, member.as_deref()));
            }
        }
        contents
    }

    /// Returns a setting.
    ///
    /// # Errors
    ///
    /// [`EditError::NotFound`], or [`EditError::Unread`] if its part of the container cannot be read.
    pub fn get(&self, path: &SettingPath) -> Result<Setting, EditError> {
        let (_, text, document) = self.document(path)?;
        let mut settings = Vec::new();
        setting::collect(&text, &document, path.member.as_ref(), &mut settings)
            .map_err(|error| self.named(error, path.member()))?;
        let found = settings.into_iter().rev().find(|setting| setting.path == *path);
        found.ok_or_else(|| EditError::NotFound(path.clone()))
    }

    /// Sets the value of a setting: `ce_value`, or `ce_array_order` of an array.
    ///
    /// # Errors
    ///
    /// Fails if the setting does not exist (see [`insert`](Self::insert)) or its value is not text.
    pub fn set(&mut self, path: &SettingPath, value: &str) -> Result<(), EditError> {
        let name = match self.get(path)?.value {
            SettingValue::Text(_) => "ce_value",
            SettingValue::Array { .. } => "ce_array_order",
            SettingValue::Unknown(_) | SettingValue::Group => {
                return Err(EditError::NoText(path.clone()));
            }
        };
        let (part, mut text, document) = self.document(path)?;
        let setting = find(&document, path).and_then(|setting| setting.member(name));
        let span = setting.ok_or_else(|| EditError::NoText(path.clone()))?.value.clone();
        text.replace_range(span, &serde_json::Value::from(value).to_string());
        self.replace(part, text)
    }

    /// Adds a setting, and the groups that contain it.
    ///
    /// # Errors
    ///
    /// Fails if there is anything at the path, or a setting above it has no members.
    pub fn insert(&mut self, path: &SettingPath, setting: &NewSetting) -> Result<(), EditError> {
        let (part, mut text, document) = self.document(path)?;
        let mut node = setting::root(&document);
        let mut names = path.names();
        let mut missing = None;
        for name in names.by_ref() {
            match node.member(name) {
                Some(member) => node = member,
                None => {
                    missing = Some(name);
                    break;
                }
            }
        }
        let (Some(first), Some(members)) = (missing, &node.members) else {
            return Err(EditError::Exists(path.clone()));
        };
        let name = |name: &str| serde_json::Value::from(name).to_string();
        let inner =
            names.rev().fold(setting.json(), |inner, outer| format!("{{{}:{inner}}}", name(outer)));
        let comma = if members.is_empty() { "" } else { "," };
        let (at, end) = match members.last() {
            Some(last) => (last.span.end, last.span.end),
            None => (node.value.start + 1, node.value.end.saturating_sub(1)),
        };
        text.replace_range(at..end, &format!("{comma}{}:{inner}", name(first)));
        self.replace(part, text)
    }

    /// Removes a setting. An array goes with its elements; groups stay, also empty ones.
    ///
    /// # Errors
    ///
    /// Fails if the setting does not exist, or is a group.
    pub fn unset(&mut self, path: &SettingPath) -> Result<(), EditError> {
        if self.get(path)?.value == SettingValue::Group {
            return Err(EditError::NotFound(path.clone()));
        }
        let (part, mut text, document) = self.document(path)?;
        let not_found = || EditError::NotFound(path.clone());
        let (name, above) = path.names.split_last().ok_or_else(not_found)?;
        let above = SettingPath { member: None, names: above.to_vec() };
        let members = find(&document, &above).and_then(|node| node.members.as_ref());
        let members = members.ok_or_else(not_found)?;
        let is_it = |entry: &Entry| entry.name == **name;
        let index = members.iter().rposition(is_it).ok_or_else(not_found)?;
        let entry = members.get(index).ok_or_else(not_found)?;
        // With the comma before it, or after the first.
        let before = index.checked_sub(1).and_then(|index| members.get(index));
        let start = before.map_or(entry.span.start, |before| before.span.end);
        let after = members.get(index + 1).filter(|_| before.is_none());
        let end = after.map_or(entry.span.end, |after| after.span.start);
        text.replace_range(start..end, "");
        self.replace(part, text)
    }

    /// The text of the JSON (0) or of a member of the archive (from 1 on).
    fn part(&self, index: usize, limit: usize) -> Result<String, ContainerError> {
        let Some(member) = index.checked_sub(1) else { return Ok(self.json.clone()) };
        let members = self.archive.iter().flat_map(|archive| &archive.members);
        let body = members.map(|member| &member.body).nth(member);
        let data = lzma::read(body.map_or(&[], |body| &body[..]), limit)?;
        String::from_utf8(data).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            ContainerError::at(at, super::error::ContainerProblem::NotJson)
        })
    }

    /// The part with a setting: its index, text and tree.
    fn document(&self, path: &SettingPath) -> Result<(usize, String, Entry), EditError> {
        let part = match path.member() {
            None => 0,
            Some(member) => {
                let at = self.members().position(|(name, _)| name == member);
                at.ok_or_else(|| EditError::NotFound(path.clone()))? + 1
            }
        };
        let read = || {
            let text = self.part(part, MAX_UNPACKED)?;
            let document = document::read(&text)?;
            Ok((part, text, document))
        };
        read().map_err(|error| self.named(error, path.member()).into())
    }

    fn replace(&mut self, part: usize, text: String) -> Result<(), EditError> {
        let Some(index) = part.checked_sub(1) else {
            self.json = text;
            return Ok(());
        };
        let members = self.archive.iter_mut().flat_map(|archive| &mut archive.members);
        if let Some(member) = { members }.nth(index) {
            let body = lzma::write(text.as_bytes(), &member.body).map_err(EditError::Compress)?;
            member.replace(body);
        }
        Ok(())
    }

    fn named(&self, error: ContainerError, member: Option<&str>) -> ContainerError {
        ContainerError { layer: self.layers(), member: member.map(str::to_owned), ..error }
    }
}

fn find<'a>(document: &'a Entry, path: &SettingPath) -> Option<&'a Entry> {
    path.names().try_fold(setting::root(document), |node, name| node.member(name))
}
