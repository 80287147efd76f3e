//! What a policy must look like to be accepted.

use std::collections::BTreeSet;

use prost::Message;

use super::failure::{Failure, Violations};
use crate::policy_management::v2::{FeaturePolicy, Policy};
use crate::proto::era::common::data_definition::policy::PolicyData;

/// The feature of the policies of ERA, ESMC and ESET PROTECT (`facts.md` 1.2).
pub(crate) const LEGACY_FEATURE: u32 = u32::MAX;

/// A policy has at most so many features. Ours.
const MAX_FEATURES: usize = 10_000;

/// A policy to create. One wrong feature policy makes the whole call fail (`facts.md` 1.2).
///
/// The configuration's type must match the feature. That is known of one feature only; those of all
/// others are kept as they are, and so is whatever rides along in the bytes of one that is known.
pub(crate) fn check_new_policy(policy: &Policy) -> Result<(), Failure> {
    if policy.features.len() > MAX_FEATURES {
        let limit = format!("a policy has at most {MAX_FEATURES} features");
        return Err(Failure::exhausted(limit));
    }
    let mut violations = Violations::default();
    let mut features = BTreeSet::new();
    for (index, feature) in policy.features.iter().enumerate() {
        let field = format!("policy.features[{index}]");
        note_feature(&mut violations, &field, feature);
        // Products share the legacy feature, each with a configuration of its own.
        if !features.insert(feature.feature_id) && feature.feature_id != LEGACY_FEATURE {
            violations.add(format!("{field}.feature_id"), "is there twice");
        }
    }
    violations.check()?;
    super::check::item_size(policy.encoded_len())
}

fn note_feature(violations: &mut Violations, field: &str, feature: &FeaturePolicy) {
    if feature.feature_id == 0 {
        violations.add(format!("{field}.feature_id"), "must be set");
    }
    if feature.feature_id == LEGACY_FEATURE
        && let Some(configuration) = &feature.configuration
        && configuration.unpack::<PolicyData>().is_err()
    {
        violations.add(
            format!("{field}.configuration"),
            "must be an Era.Common.DataDefinition.Policy.PolicyData",
        );
    }
    // A key is a path of field names, and names whole arrays only (`facts.md` 1.2).
    let is_path =
        |key: &str| key.split('.').all(|name| !name.is_empty()) && !key.contains(['[', ']', '*']);
    if feature.flags.keys().any(|key| !is_path(key)) {
        violations.add(
            format!("{field}.flags"),
            "keys must be paths such as `a.b`, down to whole arrays",
        );
    }
}
