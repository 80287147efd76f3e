//! Seeds policies and their assignments.

use serde::Deserialize;

use super::company::{FAILING, groups, read};
use crate::emulator::failure::Failure;
use crate::emulator::special::assignments::assign;
use crate::emulator::special::policies::create;
use crate::emulator::store::Change;
use crate::policy_management::v2::policy_target::Target;
use crate::policy_management::v2::{
    FeaturePolicy, Policy, PolicyAssignment, PolicyTarget, SettingFlags,
};
use crate::proto::era::common::data_definition::policy::PolicyData;
use crate::wkt::Any;

/// The data of a seeded policy.
#[derive(Deserialize)]
struct Kind {
    name: String,
    description: String,
    product: String,
    built_in: bool,
    /// One setting: plugin, name and value.
    setting: (String, String, String),
}

pub(super) fn fill(change: &mut Change<'_>) -> Result<(), Failure> {
    let mut uuids = Vec::new();
    for kind in read::<Vec<Kind>>(include_str!("policies.json"))? {
        uuids.push(create(change, policy(&kind))?.uuid);
    }
    let [shops, notebooks, servers] = groups().map(|group| Target::DeviceGroupUuid(group.uuid));
    // The assigned policies, in the order of their ranks.
    let assigned: [(Target, &[usize]); 4] = [
        (shops, &[4, 2, 0, 7]),
        (notebooks, &[5, 0, 7]),
        (servers, &[6, 1, 7]),
        (Target::DeviceUuid(FAILING.to_owned()), &[3]),
    ];
    for (target, policies) in assigned {
        for uuid in policies.iter().filter_map(|index| uuids.get(*index)) {
            let assignment = PolicyAssignment {
                policy_uuid: uuid.clone(),
                target: Some(PolicyTarget { target: Some(target.clone()) }),
                ..PolicyAssignment::default()
            };
            assign(change, assignment)?;
        }
    }
    Ok(())
}

fn policy(kind: &Kind) -> Policy {
    let (plugin, setting, _) = &kind.setting;
    let flags = SettingFlags { apply_forcefully: false, read_only: true };
    let data =
        PolicyData { data: Some(configuration(kind).into()), product: Some(kind.product.clone()) };
    Policy {
        uuid: String::new(),
        display_name: kind.name.clone(),
        description: kind.description.clone(),
        built_in: kind.built_in,
        features: vec![FeaturePolicy {
            feature_id: FeaturePolicy::LEGACY_FEATURE_ID,
            configuration: Some(Any::pack(&data)),
            // Custom policies look like ESET's example, without flags (FACTS.md#policy-configuration).
            flags: if kind.built_in {
                [(format!("plugins.p{plugin}.{setting}"), flags)].into()
            } else {
                Default::default()
            },
        }],
    }
}

/// Returns the settings in the form of ESET's example: JSON with only string values
/// ([facts](crate::facts#policy-configuration)).
fn configuration(kind: &Kind) -> Vec<u8> {
    let (plugin, setting, value) = &kind.setting;
    let section = kind.product.rsplit('.').next().unwrap_or_default();
    let settings = serde_json::json!({
        "policy": {
            "format": "1",
            "version_major": "4294967295",
            "version_minor": "4294967295",
            "version_build": "4294967295",
            "data": { section: { "plugins": { plugin: { "settings": { setting: {
                "ce_flags": "3", "ce_type": "2", "ce_value": value,
            }}}}}},
        }
    });
    settings.to_string().into_bytes()
}
