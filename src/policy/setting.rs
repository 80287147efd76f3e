//! The settings in a JSON document.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::document::Entry;
use super::error::{ContainerError, ContainerProblem};
use super::path::SettingPath;

/// The maximum number of names in the paths of all settings of a document, so that deep trees need little memory.
const MAX_NAMES: usize = 2_000_000;

/// A setting of a policy ([facts](crate::facts#policy-container)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// Where the setting is.
    pub path: SettingPath,
    /// Its value.
    pub value: SettingValue,
    /// `ce_type`, a number that ESET does not document.
    pub kind: Option<String>,
    /// `ce_flags`, a number that ESET does not document.
    pub flags: Option<String>,
    /// Other members of the setting that begin with `ce_`, as JSON.
    pub others: BTreeMap<String, String>,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingValue {
    /// `ce_value`: text, also for numbers.
    Text(String),
    /// An array. Its elements are settings below its path.
    Array {
        /// `ce_array_order`, the order of the elements, in a form that ESET does not document.
        order: String,
    },
    /// No value: a group of settings that has `ce_flags` or other members of its own.
    Group,
    /// JSON that has none of these forms, unchanged.
    Unknown(String),
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Array { order } => write!(f, "array {order:?}"),
            Self::Group => f.write_str("group"),
            Self::Unknown(json) => f.write_str(json),
        }
    }
}

/// A setting to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a new setting, an object with `value`, `kind` and `flags`"
)]
pub struct NewSetting {
    /// `ce_value`.
    pub value: String,
    /// `ce_type`, the same as in other policies with this setting.
    pub kind: String,
    /// `ce_flags`, the same as in other policies with this setting.
    pub flags: String,
}

impl NewSetting {
    pub(super) fn json(&self) -> String {
        let Self { value, kind, flags } = self;
        let text = |text: &str| serde_json::Value::from(text).to_string();
        format!(
            r#"{{"ce_flags":{},"ce_type":{},"ce_value":{}}}"#,
            text(flags),
            text(kind),
            text(value)
        )
    }
}

/// Returns the node below which the paths of a document begin.
pub(super) fn root(document: &Entry) -> &Entry {
    let data = document.member("policy").and_then(|policy| policy.member("data"));
    data.filter(|data| data.members.is_some()).unwrap_or(document)
}

/// Adds the settings below the root of a document.
pub(super) fn collect(
    text: &str,
    document: &Entry,
    member: Option<&Arc<str>>,
    settings: &mut Vec<Setting>,
) -> Result<(), ContainerError> {
    let mut walk = Walk { text, member, names: Vec::new(), left: MAX_NAMES, settings };
    walk.below(root(document))
}

struct Walk<'a> {
    text: &'a str,
    member: Option<&'a Arc<str>>,
    names: Vec<Arc<str>>,
    left: usize,
    settings: &'a mut Vec<Setting>,
}

impl Walk<'_> {
    fn below(&mut self, node: &Entry) -> Result<(), ContainerError> {
        let members = node.members.iter().flatten();
        for entry in members.filter(|entry| !entry.name.starts_with("ce_")) {
            self.names.push(entry.name.as_str().into());
            if let Some(setting) = self.setting(entry) {
                let at = entry.span.start;
                let left = self.left.checked_sub(self.names.len());
                self.left = left.ok_or(ContainerError::at(at, ContainerProblem::TooDeep))?;
                self.settings.push(setting);
            }
            self.below(entry)?;
            self.names.pop();
        }
        Ok(())
    }

    /// The setting that a node is; `None` for a group without members of its own.
    fn setting(&self, entry: &Entry) -> Option<Setting> {
        let json = |entry: &Entry| self.text.get(entry.value.clone()).unwrap_or_default();
        let text = |name: &str| serde_json::from_str::<String>(json(entry.member(name)?)).ok();
        let has = |name: &str| entry.member(name).is_some();
        let (value, known): (_, &[&str]) = if entry.members.is_none() {
            (SettingValue::Unknown(json(entry).to_owned()), &[])
        } else if let Some(value) = entry.member("ce_value") {
            let unknown = || SettingValue::Unknown(json(value).to_owned());
            (text("ce_value").map_or_else(unknown, SettingValue::Text), &["ce_value"])
        } else if has("ce_array") || has("ce_array_order") {
            let order = text("ce_array_order").unwrap_or_default();
            (SettingValue::Array { order }, &["ce_array", "ce_array_order"])
        } else if entry.members.iter().flatten().any(|member| member.name.starts_with("ce_")) {
            (SettingValue::Group, &[])
        } else {
            return None;
        };
        let (kind, flags) = (text("ce_type"), text("ce_flags"));
        let is_known = |name: &str| {
            known.contains(&name)
                || (name == "ce_type" && kind.is_some())
                || (name == "ce_flags" && flags.is_some())
        };
        let members = entry.members.iter().flatten();
        let others = members
            .filter(|entry| entry.name.starts_with("ce_") && !is_known(&entry.name))
            .map(|entry| (entry.name.clone(), json(entry).to_owned()))
            .collect();
        let path = SettingPath { member: self.member.cloned(), names: self.names.clone() };
        Some(Setting { path, value, kind, flags, others })
    }
}
