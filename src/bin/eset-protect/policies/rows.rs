//! Policies for people.

use eset_protect::params::PolicyData;
use eset_protect::policy_management::v2::{FeaturePolicy, Policy, SettingFlags};

use crate::details::Details;
use crate::table::{Lines, Row};
use crate::text::{count, short_name};

impl Row for Policy {
    const HEADERS: &'static [&'static str] = &["UUID", "NAME", "SETTINGS FOR", "BUILT-IN"];

    fn cells(&self, _brief: bool) -> Vec<String> {
        let features: Vec<_> = self.features.iter().map(subject).collect();
        vec![
            self.uuid.clone(),
            self.display_name.clone(),
            features.join(", "),
            if self.built_in { "yes" } else { "" }.to_owned(),
        ]
    }
}

/// What a feature's settings are for.
fn subject(feature: &FeaturePolicy) -> String {
    product(feature)
        .and_then(|data| data.product)
        .unwrap_or_else(|| format!("feature {}", feature.feature_id))
}

fn product(feature: &FeaturePolicy) -> Option<PolicyData> {
    feature.configuration.as_ref().and_then(|any| any.unpack().ok())
}

impl Details for Policy {
    const NAME: &'static str = "policy";

    fn uuid(&self) -> &str {
        &self.uuid
    }

    fn fields(&self) -> Vec<(&'static str, Lines)> {
        let mut fields = vec![
            ("uuid", self.uuid.clone().into()),
            ("name", self.display_name.clone().into()),
            ("description", self.description.clone().into()),
            ("built-in", if self.built_in { "yes" } else { "" }.to_owned().into()),
        ];
        for feature in &self.features {
            fields.push(("feature", feature.feature_id.to_string().into()));
            fields.push(("settings", settings(feature).into()));
            let mut flags: Vec<_> = feature.flags.iter().map(flag).collect();
            flags.sort();
            fields.push(("flags", flags.into()));
        }
        fields
    }
}

/// The settings' size only: a policy has up to hundreds of kilobytes of them.
fn settings(feature: &FeaturePolicy) -> String {
    let Some(any) = &feature.configuration else { return String::new() };
    match product(feature) {
        Some(data) => {
            let size = count(data.data.unwrap_or_default().len(), "byte");
            format!("{size} for {}", data.product.unwrap_or_default())
        }
        None => format!("{}, {}", short_name(any.type_name()), count(any.value.len(), "byte")),
    }
}

fn flag((path, flags): (&String, &SettingFlags)) -> String {
    let set = [(flags.apply_forcefully, "applied forcefully"), (flags.read_only, "read-only")];
    let names: Vec<_> = set.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
    format!("{path}: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") })
}
