//! What a device ends with: ranks, groups, subscriptions and flags.

use eset_protect::Client;
use eset_protect::device_management::v1::ListDevicesRequest;
use eset_protect::emulator::Emulator;
use eset_protect::policy::{SettingValue, Target};
use eset_protect::policy_management::v2::{FeaturePolicy, Policy, PolicyAssignment, SettingFlags};
use eset_protect::rollout::{Effective, Tenant};

/// A policy that sets `g.x` to its own name.
fn policy(name: &str, flags: SettingFlags) -> Policy {
    let leaf = format!(r#"{{"ce_flags":"4","ce_type":"9","ce_value":"{name}"}}"#);
    let data = format!(
        r#"{{"policy":{{"format":"1","data":{{"g":{{"ce_flags":"0","x":{leaf},"{name}":{leaf}}}}}}}}}"#
    );
    let mut feature = FeaturePolicy::product("p", data);
    if flags != SettingFlags::default() {
        feature.flags.insert("g".to_owned(), flags);
    }
    let features = vec![feature];
    Policy { uuid: name.into(), display_name: name.into(), features, ..Default::default() }
}

fn on(name: &str, target: &Target, rank: u32) -> PolicyAssignment {
    PolicyAssignment {
        uuid: format!("{name} {target}"),
        policy_uuid: name.into(),
        target: Some(target.clone().into()),
        rank,
    }
}

/// The policy that `g.x` comes from, and whether it won since it is forced, and is read-only.
fn winner(effective: &Effective) -> (String, bool, bool) {
    let is_x = |path: String| path == "g.x";
    let mut found = effective.settings.iter().filter(|s| is_x(s.setting.path.to_string()));
    let (x, None) = (found.next().unwrap(), found.next()) else { panic!("two winners") };
    assert_eq!(x.setting.value, SettingValue::Text(x.source.policy.clone()));
    (x.source.policy.clone(), x.is_forced, x.read_only)
}

#[test]
fn later_ranks_and_targets_win_unless_an_earlier_one_is_forced() {
    let none = SettingFlags::default();
    let forced = SettingFlags { apply_forcefully: true, read_only: false };
    let read_only = SettingFlags { apply_forcefully: false, read_only: true };
    // The group of the device, a dynamic group that contains it, and itself.
    let [group, dynamic] = ["g", "dynamic"].map(|uuid| Target::Group(uuid.into()));
    let device = Target::Device("d".into());
    let targets = [group.clone(), dynamic.clone(), device.clone()];
    let merged = |flags: [SettingFlags; 4]| {
        let names = ["a", "b", "c", "d"];
        let policies = names.iter().zip(flags).map(|(name, flags)| policy(name, flags)).collect();
        // Listed in another order than that of their ranks.
        let mut tenant = Tenant::default();
        tenant.policies = policies;
        tenant.assignments =
            vec![on("b", &group, 2), on("a", &group, 1), on("d", &device, 1), on("c", &dynamic, 1)];
        let effective = Effective::merge(&tenant, &targets);
        assert!(effective.sources.iter().map(|source| &*source.policy).eq(names));
        // What only one of them sets comes from it; groups are no settings.
        assert_eq!(effective.settings.len(), 5);
        winner(&effective)
    };
    assert_eq!(merged([none, none, none, none]), ("d".into(), false, false));
    assert_eq!(merged([none, none, forced, none]), ("c".into(), true, false));
    assert_eq!(merged([none, forced, forced, none]), ("b".into(), true, false));
    assert_eq!(merged([forced, forced, forced, forced]), ("a".into(), true, false));
    assert_eq!(merged([none, none, none, forced]), ("d".into(), true, false));
    // Read-only is for the device alone: it does not win against later policies.
    assert_eq!(merged([read_only, none, read_only, none]), ("d".into(), false, false));
    assert_eq!(merged([none, none, none, read_only]), ("d".into(), false, true));
}

/// Subscriptions of the device's products, its groups from the root down, dynamic groups, and itself.
#[tokio::test]
async fn a_device_gets_the_policies_of_its_subscriptions_and_groups() {
    let emulator = Emulator::builder().seed(true).build().unwrap().start().await.unwrap();
    let client = Client::connect(&emulator.endpoint()).await.unwrap();
    let mut devices = client.devices().list_devices(ListDevicesRequest::default()).items();
    let mut found = None;
    while let Some(device) = devices.next().await {
        let device = device.unwrap();
        let mut products = device.active_products.iter();
        if let Some(product) = products.find(|product| !product.subscription_uuid.is_empty()) {
            found = Some((device.uuid.clone(), product.subscription_uuid.clone()));
            break;
        }
    }
    let (device, subscription) = found.expect("the seed has a device with a subscription");
    let mine = Target::Subscription(subscription);
    let other = Target::Subscription("00000000-0000-4000-8000-000000000000".into());
    for (name, target) in [("mine", &mine), ("other", &other)] {
        let policy = Policy { uuid: String::new(), ..policy(name, SettingFlags::default()) };
        let uuid = client.policies().create_policy(policy).await.unwrap().uuid;
        let assignment = PolicyAssignment { uuid: String::new(), rank: 0, ..on(&uuid, target, 0) };
        client.policy_assignments().assign_policy(assignment).await.unwrap();
    }
    let effective = Effective::of_device(&client, &device).await.unwrap();
    assert_eq!(effective.sources[0].target, mine, "subscriptions are merged first");
    assert!(effective.sources.iter().all(|source| source.target != other));
    assert_eq!(winner(&effective).0, "mine");
    emulator.shutdown().await;
}
