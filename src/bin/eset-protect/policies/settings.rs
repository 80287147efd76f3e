//! The settings of a policy as lines for people, and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt;

use eset_protect::params::PolicyData;
use eset_protect::policy::{PolicyFile, Setting, SettingPath, SettingValue, container_of};
use serde_json::{Value as Json, json};

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
    /// An object for programs, without secrets.
    json: Json,
}

impl Value {
    fn plain(shown: String, json: Json) -> Self {
        Self { whole: shown.clone(), shown, json }
    }

    pub fn of(setting: &Setting) -> Self {
        let whole = whole(setting, &setting.value.to_string());
        let shown = if is_secret(setting) { self::whole(setting, MASK) } else { whole.clone() };
        Self { shown, whole, json: json(setting) }
    }

    /// Adds its members to an object for programs.
    pub fn row(&self, mut row: Json) -> Json {
        if let (Json::Object(row), Json::Object(members)) = (&mut row, &self.json) {
            row.extend(members.clone());
        }
        row
    }

    pub fn json(&self) -> &Json {
        &self.json
    }

    pub fn is_hidden(&self) -> bool {
        self.shown != self.whole
    }
}

impl Lines {
    pub fn of(file: &PolicyFile) -> Result<Self, Failure> {
        let policy = file.to_policy()?;
        let mut lines = Self::default();
        if file.export.is_none() {
            for (name, text) in [("name", &file.name), ("description", &file.description)] {
                let value = Value::plain(format!("{text:?}"), json!({ "value": text }));
                lines.about.insert(name.to_owned(), value);
            }
        }
        let is_one = policy.features.len() == 1;
        for (index, feature) in policy.features.iter().enumerate() {
            let prefix = if is_one { String::new() } else { format!("[{index}] ") };
            let any = feature.configuration.as_ref();
            let data = any.and_then(|any| any.unpack::<PolicyData>().ok());
            let product = data.and_then(|data| data.product).unwrap_or_default();
            let text = format!("{} {product:?}", feature.feature_id);
            let json = json!({ "value": product, "featureId": feature.feature_id });
            lines.about.insert(format!("{prefix}feature"), Value::plain(text, json));
            for (path, flags) in &feature.flags {
                let on = [("force", flags.apply_forcefully), ("read-only", flags.read_only)];
                let on: Vec<_> = on.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
                let names = path.parse().map_or_else(
                    |_| vec![path.clone()],
                    |path: SettingPath| path.names().map(str::to_owned).collect(),
                );
                let key = Key { prefix: format!("{prefix}flags "), names, text: path.clone() };
                let on = on.join(" ");
                lines.values.insert(key, Value::plain(on.clone(), json!({ "value": on })));
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

fn is_secret(setting: &Setting) -> bool {
    let path = setting.path.to_string().to_lowercase().replace(['_', '-'], "");
    SECRETS.iter().any(|secret| path.contains(secret))
}

/// The value with `ce_type` and `ce_flags` as members: `value` of a text, `order` of an array, `json` of what has another
/// form, and none of these of a group.
fn json(setting: &Setting) -> Json {
    let is_secret = is_secret(setting);
    let text = |text: &str| Json::from(if is_secret { MASK } else { text });
    let mut json = match &setting.value {
        SettingValue::Text(value) => json!({ "value": text(value) }),
        SettingValue::Array { order } => json!({ "order": text(order) }),
        SettingValue::Unknown(value) => json!({ "json": text(value) }),
        _ => json!({}),
    };
    for (name, value) in [("type", &setting.kind), ("flags", &setting.flags)] {
        if let Some(value) = value {
            json[name] = Json::from(&**value);
        }
    }
    for (name, value) in &setting.others {
        json["others"][name] = text(value);
    }
    json
}

/// The value with `ce_type` and `ce_flags` as a text.
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
