//! Policies and where they apply.

use super::{FAILING, GROUPS};
use crate::emulator::assignments::assign;
use crate::emulator::environment::Environment;
use crate::emulator::failure::Failure;
use crate::emulator::policies::create;
use crate::emulator::store::Change;
use crate::policy_management::v2::policy_target::Target;
use crate::policy_management::v2::{
    FeaturePolicy, Policy, PolicyAssignment, PolicyTarget, SettingFlags,
};
use crate::proto::era::common::data_definition::policy::PolicyData;
use crate::wkt::Any;

const ENDPOINT: &str = "eset.local.products.endpoint";
const SERVER: &str = "eset.local.products.server";
const AGENT: &str = "eset.local.products.agent";

/// What a seeded policy is made of.
struct Kind {
    name: &'static str,
    description: &'static str,
    product: &'static str,
    built_in: bool,
    /// One setting: its plugin, its name and its value.
    setting: (&'static str, &'static str, &'static str),
}

const KINDS: [Kind; 8] = [
    Kind {
        name: "Antivirus - Balanced",
        description: "Recommended for most devices",
        product: ENDPOINT,
        built_in: true,
        setting: ("01000101", "protectionLevel", "2"),
    },
    Kind {
        name: "Antivirus - Maximum security",
        description: "Machine learning reports and blocks at the aggressive level",
        product: ENDPOINT,
        built_in: true,
        setting: ("01000101", "protectionLevel", "3"),
    },
    Kind {
        name: "Device control - Read only",
        description: "Removable media can be read, not written",
        product: ENDPOINT,
        built_in: true,
        setting: ("01000200", "removableMediaMode", "1"),
    },
    Kind {
        name: "Visibility - Silent",
        description: "No notifications on the device",
        product: ENDPOINT,
        built_in: true,
        setting: ("01000600", "guiStartMode", "3"),
    },
    Kind {
        name: "Shops: no notifications during opening hours",
        description: "Cash registers",
        product: ENDPOINT,
        built_in: false,
        setting: ("01000600", "presentationMode", "1"),
    },
    Kind {
        name: "Notebooks: scan when idle",
        description: "Also on battery",
        product: ENDPOINT,
        built_in: false,
        setting: ("01000104", "idleScanOnBattery", "1"),
    },
    Kind {
        name: "Servers: exclude databases",
        description: "Agreed with the database team",
        product: SERVER,
        built_in: false,
        setting: ("01000101", "automaticExclusions", "1"),
    },
    Kind {
        name: "Agent: connect every ten minutes",
        description: "",
        product: AGENT,
        built_in: false,
        setting: ("0A000100", "replicationInterval", "600"),
    },
];

pub(super) fn fill(change: &mut Change<'_>, environment: &Environment) -> Result<(), Failure> {
    let mut uuids = Vec::new();
    for kind in &KINDS {
        uuids.push(create(change, environment, policy(kind))?.uuid);
    }
    let [shops, notebooks, servers] = GROUPS.map(|group| group.uuid);
    let group = |uuid: &str| Target::DeviceGroupUuid(uuid.to_owned());
    // Which of the policies above, in the order of their ranks.
    let assigned: [(Target, &[usize]); 4] = [
        (group(shops), &[4, 2, 0, 7]),
        (group(notebooks), &[5, 0, 7]),
        (group(servers), &[6, 1, 7]),
        (Target::DeviceUuid(FAILING.to_owned()), &[3]),
    ];
    for (target, policies) in assigned {
        for uuid in policies.iter().filter_map(|index| uuids.get(*index)) {
            let assignment = PolicyAssignment {
                policy_uuid: uuid.clone(),
                target: Some(PolicyTarget { target: Some(target.clone()) }),
                ..PolicyAssignment::default()
            };
            assign(change, environment, assignment)?;
        }
    }
    Ok(())
}

fn policy(kind: &Kind) -> Policy {
    let (plugin, setting, _) = kind.setting;
    let flags = SettingFlags { apply_forcefully: false, read_only: true };
    let data = PolicyData {
        data: Some(configuration(kind).into()),
        product: Some(kind.product.to_owned()),
    };
    Policy {
        uuid: String::new(),
        display_name: kind.name.to_owned(),
        description: kind.description.to_owned(),
        built_in: kind.built_in,
        features: vec![FeaturePolicy {
            feature_id: FeaturePolicy::LEGACY_FEATURE_ID,
            configuration: Some(Any::pack(&data)),
            // Own policies look like those of ESET's example, without flags
            // (FACTS.md#policy-configuration).
            flags: if kind.built_in {
                [(format!("plugins.p{plugin}.{setting}"), flags)].into()
            } else {
                Default::default()
            },
        }],
    }
}

/// The settings in the form of ESET's example: JSON, all values strings
/// ([facts](crate::facts#policy-configuration)).
fn configuration(kind: &Kind) -> Vec<u8> {
    let (plugin, setting, value) = kind.setting;
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
