//! The settings of a policy as lines for people.

use std::collections::BTreeMap;
use std::fmt;

use eset_protect::params::PolicyData;
use eset_protect::policy::{PolicyFile, Setting, SettingPath, container_of};

use crate::failure::Failure;

/// Parts of names whose values are not shown.
const SECRETS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "privatekey",
    "apikey",
    "licensekey",
    "credential",
];
const MASK: &str = "[hidden]";

/// What people see of a policy.
#[allow(missing_debug_implementations, reason = "values may be secret")]
#[derive(Default)]
pub struct Lines {
    /// The name and description, which settings in a Web Console export lack, and the features.
    pub about: BTreeMap<String, Value>,
    /// The settings and flags.
    pub values: BTreeMap<Key, Value>,
    /// The parts that cannot be read.
    pub unread: Vec<String>,
}

/// What a line is about. They are sorted as a tree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The number of the feature if there are several, and whether it is a flag.
    prefix: String,
    names: Vec<String>,
    text: String,
}

impl Key {
    fn setting(prefix: &str, path: &SettingPath) -> Self {
        let member = path.member().map(|member| format!("`{member}`:"));
        let names = member.into_iter().chain(path.names().map(str::to_owned)).collect();
        Self { prefix: prefix.to_owned(), names, text: path.to_string() }
    }

    /// The names from the outermost on.
    fn names(&self) -> impl Iterator<Item = &str> {
        let prefix = Some(self.prefix.trim()).filter(|prefix| !prefix.is_empty());
        prefix.into_iter().chain(self.names.iter().map(String::as_str))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, self.text)
    }
}

/// A value that may be secret.
#[derive(PartialEq, Eq)]
pub struct Value {
    pub shown: String,
    whole: String,
}

impl Value {
    fn plain(text: String) -> Self {
        Self { shown: text.clone(), whole: text }
    }

    fn of(setting: &Setting) -> Self {
        Self { shown: shown(setting), whole: whole(setting, &setting.value.to_string()) }
    }

    pub fn is_hidden(&self) -> bool {
        self.shown != self.whole
    }
}

impl Lines {
    pub fn of(file: &PolicyFile) -> Result<Self, Failure> {
        let policy = file.to_policy().map_err(|error| Failure::Input(error.to_string()))?;
        let mut lines = Self::default();
        if file.export.is_none() {
            for (name, text) in [("name", &file.name), ("description", &file.description)] {
                lines.about.insert(name.to_owned(), Value::plain(format!("{text:?}")));
            }
        }
        let is_one = policy.features.len() == 1;
        for (index, feature) in policy.features.iter().enumerate() {
            let prefix = if is_one { String::new() } else { format!("[{index}] ") };
            let any = feature.configuration.as_ref();
            let data = any.and_then(|any| any.unpack::<PolicyData>().ok());
            let product = data.and_then(|data| data.product).unwrap_or_default();
            let text = format!("{} {product:?}", feature.feature_id);
            lines.about.insert(format!("{prefix}feature"), Value::plain(text));
            for (path, flags) in &feature.flags {
                let on = [("force", flags.apply_forcefully), ("read-only", flags.read_only)];
                let on: Vec<_> = on.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
                let names = path.parse().map_or_else(
                    |_| vec![path.clone()],
                    |path: SettingPath| path.names().map(str::to_owned).collect(),
                );
                let key = Key { prefix: format!("{prefix}flags "), names, text: path.clone() };
                lines.values.insert(key, Value::plain(on.join(" ")));
            }
            let contents = match container_of(feature) {
                Ok(Some(container)) => container.contents(),
                Ok(None) => {
                    let name = any.map_or("nothing", |any| any.type_name());
                    lines.unread.push(format!("{prefix}the configuration is {name}"));
                    continue;
                }
                Err(error) => {
                    lines.unread.push(format!("{prefix}{error}"));
                    continue;
                }
            };
            let unread = contents.unread.iter().map(|error| format!("{prefix}{error}"));
            lines.unread.extend(unread);
            for setting in &contents.settings {
                lines.values.insert(Key::setting(&prefix, &setting.path), Value::of(setting));
            }
        }
        Ok(lines)
    }

    /// The settings as an indented tree.
    pub fn tree(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut before: Vec<&str> = Vec::new();
        for (key, value) in &self.values {
            let names: Vec<_> = key.names().collect();
            let same = names.iter().zip(&before).take_while(|(a, b)| a == b).count();
            let same = same.min(names.len().saturating_sub(1));
            for (depth, name) in names.iter().enumerate().skip(same) {
                let is_last = depth + 1 == names.len();
                let value = if is_last { format!(" = {}", value.shown) } else { String::new() };
                lines.push(format!("{:indent$}{name}{value}", "", indent = depth * 2));
            }
            before = names;
        }
        lines
    }
}

/// The value with `ce_type` and `ce_flags`.
pub fn shown(setting: &Setting) -> String {
    let path = setting.path.to_string().to_lowercase().replace(['_', '-'], "");
    match SECRETS.iter().any(|secret| path.contains(secret)) {
        true => whole(setting, MASK),
        false => whole(setting, &setting.value.to_string()),
    }
}

fn whole(setting: &Setting, value: &str) -> String {
    let mut text = value.to_owned();
    for (name, value) in [("type", &setting.kind), ("flags", &setting.flags)] {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    for (name, json) in &setting.others {
        text.push_str(&format!(" {name}={}", if value == MASK { MASK } else { json }));
    }
    text
}
