//! Rules for policies and their assignments.

use std::collections::BTreeSet;

use super::problem::{Findings, ProblemKind};
use super::rules::{Rules, checked, contains, note_name};
use crate::params::PolicyData;
use crate::policy::{Form, Settings, is_settings};
use crate::policy_management::v2::{
    AssignPolicyRequest, CreatePolicyRequest, FeaturePolicy, Policy, PolicyAssignment,
    UpdatePolicyAssignmentRankingRequest,
};
use crate::wkt::Timestamp;

checked! {
    Policy PolicyAssignment
    AssignPolicyRequest CreatePolicyRequest UpdatePolicyAssignmentRankingRequest
}

contains! {
    CreatePolicyRequest of policy;
    AssignPolicyRequest of assignment;
}

impl Rules for UpdatePolicyAssignmentRankingRequest {
    /// ESET answers rank 0 with 400. Only the service knows whether a rank is too high.
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        if self.rank == 0 {
            let field = format_args!("{at}rank");
            found.wrong(ProblemKind::Refused, field, "0", "1 or more; 1 is the highest rank");
        }
    }
}

impl Rules for Policy {
    /// One invalid feature makes the whole call fail with `INVALID_ARGUMENT`.
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        note_name(&format!("{at}display_name"), &self.display_name, found);
        let mut features = BTreeSet::new();
        for (index, feature) in self.features.iter().enumerate() {
            let at = format!("{at}features[{index}].");
            note_feature(&at, feature, found);
            // The legacy feature may repeat: several products use it, each with its own configuration.
            let is_legacy = feature.feature_id == FeaturePolicy::LEGACY_FEATURE_ID;
            if !features.insert(feature.feature_id) && !is_legacy {
                let field = format_args!("{at}feature_id");
                let (id, expected) = (feature.feature_id.to_string(), "each feature at most once");
                found.wrong(ProblemKind::Refused, field, &id, expected);
            }
        }
    }
}

fn note_feature(at: &str, feature: &FeaturePolicy, found: &mut Findings) {
    if feature.feature_id == 0 {
        let expected = "a feature id, such as 4294967295 for ESET's endpoint products";
        found.missing(ProblemKind::Refused, format_args!("{at}feature_id"), expected);
    }
    if feature.feature_id == FeaturePolicy::LEGACY_FEATURE_ID {
        note_legacy(&format!("{at}configuration"), feature, found);
    }
    // A key is the path of a setting. It can name a whole array but not an element.
    let is_path =
        |key: &str| key.split('.').all(|name| !name.is_empty()) && !key.contains(['[', ']', '*']);
    for key in feature.flags.keys().filter(|key| !is_path(key)) {
        let expected = "keys that are paths such as a.b, without indexes into arrays";
        found.wrong(ProblemKind::Refused, format_args!("{at}flags"), key, expected);
    }
}

/// Checks the legacy feature, the only one whose configuration type is known.
fn note_legacy(field: &str, feature: &FeaturePolicy, found: &mut Findings) {
    let expected = "an Era.Common.DataDefinition.Policy.PolicyData";
    let Some(configuration) = &feature.configuration else {
        return found.missing(ProblemKind::Wrong, field, expected);
    };
    let Ok(PolicyData { data, product }) = configuration.unpack::<PolicyData>() else {
        let name = configuration.type_name();
        return found.wrong(ProblemKind::Refused, field, name, expected);
    };
    let data = data.unwrap_or_default();
    let product = product.unwrap_or_default();
    if product.is_empty() || product.contains(char::is_whitespace) {
        let value = Some(product.as_str()).filter(|product| !product.is_empty());
        let expected = "a product name, such as eset.local.products.endpoint";
        found.add(ProblemKind::Wrong, format_args!("{field}.product"), value, expected, None);
    }
    let field = format!("{field}.data");
    if data.is_empty() {
        found.missing(ProblemKind::Wrong, field, "the settings");
    } else if !is_settings(&data) {
        match Settings::read(&data) {
            Ok(Settings { form: Form::Export, .. }) => {
                let expected = "only the last line of the Web Console's export, without the product \
                                name and decoded from base64; this is the whole file";
                found.missing(ProblemKind::Wrong, field, expected);
            }
            _ => {
                let expected = "settings as the Web Console exports them: they begin with \
                                {\"policy\": …}, perhaps inside several layers of base64";
                found.missing(ProblemKind::Unknown, field, expected);
            }
        }
    }
}

impl Rules for PolicyAssignment {
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        if self.target.as_ref().is_none_or(|target| target.target.is_none()) {
            let expected = "a device, a group of devices or a subscription";
            found.missing(ProblemKind::Refused, format_args!("{at}target"), expected);
        }
    }
}
