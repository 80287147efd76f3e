//! Policies.

use eset_protect::policy_management::v2::{
    FeaturePolicy, ListPoliciesRequest, Policy, SettingFlags,
};
use eset_protect::wkt::Any;

use crate::over_all_routes;

fn policy(name: &str) -> Policy {
    let mut feature = FeaturePolicy::product("eset.local.products.endpoint", vec![0, 159, 255]);
    let flags = SettingFlags { apply_forcefully: true, read_only: false };
    feature.flags.insert("plugins.p01000101.level".to_owned(), flags);
    Policy { display_name: name.to_owned(), features: vec![feature], ..Default::default() }
}

#[tokio::test]
async fn a_policy_is_created_read_and_deleted() {
    over_all_routes(async |world| {
        let policies = world.client.policies();
        let created = policies.create_policy(policy("Strict")).await;
        let created = world.note("created", created);
        let created = created.expect("a policy");
        let read = policies.get_policy(created.uuid.as_str()).await;
        world.note("read", read);
        world.note("deleted", policies.delete_policy(created.uuid.as_str()).await);
        world.note("gone", policies.get_policy(created.uuid).await);
    })
    .await;
}

#[tokio::test]
async fn large_settings_pass() {
    over_all_routes(async |world| {
        let data: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        let large = Policy {
            features: vec![FeaturePolicy::product("eset.local.products.endpoint", data.clone())],
            ..policy("Large")
        };
        let created = world.client.policies().create_policy(large).await;
        let created = created.expect("a policy");
        let read = world.client.policies().get_policy(created.uuid.as_str()).await;
        assert_eq!(read.expect("a policy"), created);
        world.say(format!("{} with {} features", created.uuid, created.features.len()));
    })
    .await;
}

#[tokio::test]
async fn built_in_policies_stay() {
    over_all_routes(async |world| {
        let policies = world.client.policies();
        let mut items = policies.list_policies(ListPoliciesRequest::default()).items();
        let mut built_in = None;
        while let Some(policy) = items.next().await {
            let policy = world.note("policy", policy).expect("a policy");
            built_in = built_in.or(policy.built_in.then_some(policy.uuid));
        }
        let built_in = built_in.expect("the seed has a built-in policy");
        world.note("not deleted", policies.delete_policy(built_in).await);
    })
    .await;
}

#[tokio::test]
async fn one_wrong_feature_fails_the_whole_policy() {
    over_all_routes(async |world| {
        let foreign = Any::pack(&eset_protect::params::ScanRequest::default());
        let wrong = FeaturePolicy { configuration: Some(foreign), ..policy("").features.remove(0) };
        let wrong = Policy { features: vec![wrong], ..policy("Wrong") };
        world.note("wrong", world.client.policies().create_policy(wrong).await);
        let all = world.client.policies().list_policies(ListPoliciesRequest::default()).await;
        world.note("all", all.map(|page| page.policies.len()));
    })
    .await;
}
