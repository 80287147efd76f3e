//! A policy as a file that people read and edit.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::assignment::AssignmentFile;
use super::container::Container;
use super::error::ContainerError;
use super::path::SettingPath;
use super::read;
use super::setting::{NewSetting, SettingValue};
use super::settings::EditError;
use crate::params::PolicyData;
use crate::policy_management::v2::{FeaturePolicy, Policy, SettingFlags};
use crate::wkt::Any;

/// A policy as a file: with any format of serde's that describes itself, such as JSON or YAML.
///
/// [`from_policy`](Self::from_policy) and [`to_policy`](Self::to_policy) lose nothing, also where the settings
/// cannot be read: `configuration` is the original, and [`settings`](FeatureFile::settings) are laid over it.
///
/// A file says all that a policy has. What it leaves out, the policy does not have: without `assignments` it is
/// assigned to nothing, without `features` it has no settings. `settings` are left out only where `configuration`
/// has none that can be read: to remove all, write `{}`. No member is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    deny_unknown_fields,
    expecting = "a policy, an object with `name`, `assignments` and `features`"
)]
#[non_exhaustive]
pub struct PolicyFile {
    /// The name, by which a policy is found again.
    pub name: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where the policy is assigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignments: Vec<AssignmentFile>,
    /// The settings by feature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureFile>,
    /// What a Web Console export has beside the policy. ESET's API has no field for it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read::given")]
    pub export: Option<ExportFile>,
}

/// The text of a Web Console export around its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ExportFile {
    /// The lines before the settings.
    pub before: String,
    /// What follows the settings: usually the end of the line, or nothing.
    pub after: String,
}

/// The settings for one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    deny_unknown_fields,
    expecting = "a feature, an object with `settings` and `configuration`"
)]
#[non_exhaustive]
pub struct FeatureFile {
    /// The feature; [`FeaturePolicy::LEGACY_FEATURE_ID`] if it is left out.
    #[serde(default = "legacy", deserialize_with = "read::feature_id")]
    pub feature_id: u32,
    /// The flags of settings, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flags: BTreeMap<String, FlagsFile>,
    /// All settings by [`SettingPath`]: the value, or a [`NewSetting`] for one that `configuration` does not have.
    /// A setting of `configuration` that is not here is removed; `{}` removes all. This member is left out only where
    /// `configuration` has no settings that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read::given")]
    pub settings: Option<BTreeMap<String, SettingFile>>,
    /// The configuration as ESET's API has it. It keeps the values that it was read with, secrets among them, also
    /// where `settings` has others: [`to_policy`](PolicyFile::to_policy) replaces them. Its `data` may be missing if `settings` are there. Written as the
    /// text of its JSON, since YAML would change numbers; read from that and from an object.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "read::json_text")]
    pub configuration: Option<Any>,
}

impl FeatureFile {
    /// Creates a feature without settings.
    pub fn new(feature_id: u32) -> Self {
        Self { feature_id, flags: BTreeMap::new(), settings: None, configuration: None }
    }
}

fn legacy() -> u32 {
    FeaturePolicy::LEGACY_FEATURE_ID
}

/// The flags of a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    default,
    deny_unknown_fields,
    expecting = "flags, an object with `applyForcefully` and `readOnly`"
)]
#[non_exhaustive]
pub struct FlagsFile {
    /// Overrides policies merged later.
    pub apply_forcefully: bool,
    /// The device cannot override the setting.
    pub read_only: bool,
}

/// A setting in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SettingFile {
    /// The value of a setting that the configuration has.
    Value(String),
    /// A setting that the configuration may not have.
    New(NewSetting),
}

impl<'de> Deserialize<'de> for SettingFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = SettingFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "the value of a setting in quotes, such as '1', or a new setting, such as \
                     {value: '1', kind: '9', flags: '4'}",
                )
            }

            fn visit_str<E>(self, text: &str) -> Result<SettingFile, E> {
                Ok(SettingFile::Value(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<SettingFile, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(members)).map(SettingFile::New)
            }
        }

        from.deserialize_any(Visit)
    }
}

/// The reason why a file is not a policy.
#[derive(Debug)]
#[non_exhaustive]
pub struct FileError {
    /// The feature, counted from 0.
    pub feature: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "features[{}]: {}", self.feature, self.reason)
    }
}

impl std::error::Error for FileError {}

impl PolicyFile {
    /// Creates the file of a policy without settings and assignments.
    pub fn new(name: impl Into<String>) -> Self {
        let (name, description) = (name.into(), String::new());
        Self { name, description, assignments: Vec::new(), features: Vec::new(), export: None }
    }

    /// Makes the file of a policy, without assignments.
    pub fn from_policy(policy: &Policy) -> Self {
        Self {
            description: policy.description.clone(),
            features: policy.features.iter().map(FeatureFile::from_feature).collect(),
            ..Self::new(&policy.display_name)
        }
    }

    /// Makes the policy, without its assignments.
    ///
    /// # Errors
    ///
    /// Fails if `settings` do not fit the configuration. The error names the setting.
    pub fn to_policy(&self) -> Result<Policy, FileError> {
        let features = self.features.iter().enumerate().map(|(feature, file)| {
            file.to_feature().map_err(|reason| FileError { feature, reason })
        });
        Ok(Policy {
            display_name: self.name.clone(),
            description: self.description.clone(),
            features: features.collect::<Result<_, _>>()?,
            ..Policy::default()
        })
    }
}

/// Returns the container in a configuration; `None` if it is of another type, or has no data.
///
/// # Errors
///
/// Fails if the data is no container.
pub fn container_of(feature: &FeaturePolicy) -> Result<Option<Container>, ContainerError> {
    let configuration = feature.configuration.as_ref();
    let data = configuration.and_then(|any| any.unpack::<PolicyData>().ok()?.data);
    data.map(Container::decode).transpose()
}

impl FeatureFile {
    fn from_feature(feature: &FeaturePolicy) -> Self {
        let container = container_of(feature).ok().flatten();
        let settings = container.map(|container| {
            let settings = container.contents().settings.into_iter();
            settings
                .filter_map(|setting| {
                    let value = editable(setting.value)?;
                    Some((setting.path.to_string(), SettingFile::Value(value)))
                })
                .collect()
        });
        let flags = feature.flags.iter().map(|(path, flags)| {
            let SettingFlags { apply_forcefully, read_only } = *flags;
            (path.clone(), FlagsFile { apply_forcefully, read_only })
        });
        Self {
            feature_id: feature.feature_id,
            flags: flags.collect(),
            settings,
            configuration: feature.configuration.clone(),
        }
    }

    fn to_feature(&self) -> Result<FeaturePolicy, String> {
        let flags = self.flags.iter().map(|(path, flags)| {
            let FlagsFile { apply_forcefully, read_only } = *flags;
            (path.clone(), SettingFlags { apply_forcefully, read_only })
        });
        let mut feature = FeaturePolicy {
            feature_id: self.feature_id,
            configuration: self.configuration.clone(),
            flags: flags.collect(),
        };
        let Some(settings) = &self.settings else {
            let container = container_of(&feature).ok().flatten();
            let mut settings = container.map(|it| it.contents().settings).into_iter().flatten();
            if settings.any(|setting| editable(setting.value).is_some()) {
                return Err("settings: expected those of the configuration that stay, or {} to \
                            remove all, found none"
                    .to_owned());
            }
            return Ok(feature);
        };
        let read =
            container_of(&feature).map_err(|error| format!("configuration.data: {error}"))?;
        let is_new = read.is_none();
        let mut container = read.unwrap_or_else(Container::empty);
        if edit(&mut container, settings).map_err(|error| format!("settings: {error}"))? || is_new {
            let expected = "expected the @type and product of a PolicyData beside settings";
            let any = feature.configuration.as_mut().filter(|any| any.is::<PolicyData>());
            let any = any.ok_or_else(|| format!("configuration: {expected}"))?;
            let mut data: PolicyData =
                any.unpack().map_err(|error| format!("configuration: {error}"))?;
            data.data = Some(container.encode().into());
            any.repack(&data).map_err(|error| format!("configuration: {error}"))?;
        }
        Ok(feature)
    }
}

/// The value that a file can change.
fn editable(value: SettingValue) -> Option<String> {
    match value {
        SettingValue::Text(value) | SettingValue::Array { order: value } => Some(value),
        SettingValue::Unknown(_) | SettingValue::Group => None,
    }
}

/// Makes the settings of a container those of a file. Returns whether any changed.
fn edit(
    container: &mut Container,
    settings: &BTreeMap<String, SettingFile>,
) -> Result<bool, Box<dyn std::error::Error>> {
    let mut wanted = BTreeMap::new();
    for (text, setting) in settings {
        wanted.insert(text.parse::<SettingPath>()?, setting);
    }
    let mut is_changed = false;
    // Elements come after their array, and are removed before it.
    for setting in container.contents().settings.into_iter().rev() {
        let Some(value) = editable(setting.value) else { continue };
        let path = &setting.path;
        match wanted.remove(path) {
            Some(SettingFile::Value(new)) if *new != value => container.set(path, new)?,
            Some(SettingFile::New(new))
                if new.value != value
                    || setting.kind.as_ref() != Some(&new.kind)
                    || setting.flags.as_ref() != Some(&new.flags) =>
            {
                container.unset(path)?;
                container.insert(path, new)?;
            }
            Some(_) => continue,
            None => container.unset(path)?,
        }
        is_changed = true;
    }
    for (path, setting) in wanted {
        let SettingFile::New(new) = setting else {
            let error = EditError::NotFound(path);
            return Err(format!(
                "{error} yet; give its value, kind and flags, such as {{value: '0', kind: '9', flags: '4'}}"
            )
            .into());
        };
        container.insert(&path, new)?;
        is_changed = true;
    }
    Ok(is_changed)
}
