//! The settings of a policy as lines for people.

use std::collections::BTreeMap;

use eset_protect::policy::{PolicyFile, Setting, container_of};

use crate::failure::Failure;

/// Parts of names whose values are not shown.
const SECRETS: [&str; 6] = ["password", "passwd", "passphrase", "secret", "token", "privatekey"];
const MASK: &str = "[hidden]";

/// What people see of a policy.
#[derive(Debug, Default)]
pub struct Lines {
    /// The values by path. The path of a setting begins with the product if there are several features.
    pub values: BTreeMap<String, String>,
    /// The parts that cannot be read.
    pub unread: Vec<String>,
}

impl Lines {
    pub fn of(file: &PolicyFile) -> Result<Self, Failure> {
        let policy = file.to_policy().map_err(|error| Failure::Input(error.to_string()))?;
        let mut lines = Self::default();
        let is_one = policy.features.len() == 1;
        for (index, feature) in policy.features.iter().enumerate() {
            let prefix = if is_one { String::new() } else { format!("[{index}] ") };
            let contents = match container_of(feature) {
                Ok(Some(container)) => container.contents(),
                Ok(None) => {
                    let any = feature.configuration.as_ref();
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
            for setting in contents.settings {
                lines.values.insert(format!("{prefix}{}", setting.path), shown(&setting));
            }
            for (path, flags) in &feature.flags {
                let on = [("force", flags.apply_forcefully), ("read-only", flags.read_only)];
                let on: Vec<_> = on.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
                lines.values.insert(format!("{prefix}flags {path}"), on.join(" "));
            }
        }
        Ok(lines)
    }
}

/// The value with `ce_type` and `ce_flags`.
pub fn shown(setting: &Setting) -> String {
    let path = setting.path.to_string().to_lowercase().replace(['_', '-'], "");
    let value = match SECRETS.iter().any(|secret| path.contains(secret)) {
        true => MASK.to_owned(),
        false => setting.value.to_string(),
    };
    let mut text = value;
    let attributes = [("type", &setting.kind), ("flags", &setting.flags)];
    for (name, value) in attributes {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    for (name, json) in &setting.others {
        text.push_str(&format!(" {name}={json}"));
    }
    text
}
