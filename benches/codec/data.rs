//! The messages to measure, shaped like ESET's responses (FACTS.md#json).

use eset_protect::automation::v1::{
    Action, DeviceTask, DeviceTaskSource, DeviceTaskTargets, Trigger,
};
use eset_protect::params::{OnDemandScan, on_demand_scan::ScanProfile};
use eset_protect::policy_management::v2::{FeaturePolicy, Policy, SettingFlags};
use eset_protect::wkt::Timestamp;

/// Returns a task that scans one device.
pub fn task(number: u32) -> DeviceTask {
    let at = i64::from(number) * 61;
    DeviceTask {
        uuid: uuid(number, 1),
        version_id: 9_007_199_254_740_993 + u64::from(number),
        display_name: format!("Scan of the accounting department {number}"),
        description: "Made by the nightly job".into(),
        action: Some(Action::on_demand_scan(OnDemandScan {
            scan_profile: Some(ScanProfile::Smart.into()),
            scan_targets: vec!["eset://AllTargets".into()],
            cleaning_enabled: Some(true),
            shutdown_enabled: Some(false),
            ..Default::default()
        })),
        targets: Some(DeviceTaskTargets::devices([uuid(number, 2)])),
        triggers: vec![Trigger::manual(Some(Timestamp { seconds: 1_893_456_000 + at, nanos: 0 }))],
        source: DeviceTaskSource::InternalUser.into(),
        asset_group_uuid: uuid(0, 3),
        create_time: Some(Timestamp { seconds: 1_762_000_000 + at, nanos: 123_000_000 }),
        update_time: Some(Timestamp { seconds: 1_763_000_000 + at, nanos: 456_789_000 }),
    }
}

/// Returns a policy with one feature, whose settings have the given number of bytes.
pub fn policy(bytes: usize) -> Policy {
    // Compressed settings look like noise. An xorshift generator makes every run the same.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let data: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(bytes)
    .collect();
    let mut feature = FeaturePolicy::product("eset.local.products.endpoint", data);
    let flags = SettingFlags { apply_forcefully: true, read_only: true };
    feature.flags.insert("endpoint.plugins.real_time_protection".into(), flags);
    Policy {
        uuid: uuid(9, 4),
        display_name: "Workstations".into(),
        description: "For all workstations of the head office".into(),
        built_in: false,
        features: vec![feature],
    }
}

fn uuid(number: u32, kind: u8) -> String {
    format!("{:08x}-{kind:04x}-4abc-8def-{number:012x}", number.wrapping_mul(2_654_435_761))
}
