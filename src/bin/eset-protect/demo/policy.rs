//! The demo's policy.

use eset_protect::Client;
use eset_protect::params::PolicyData;
use eset_protect::policy_management::v2::{
    FeaturePolicy, Policy, PolicyAssignment, PolicyTarget, SettingFlags,
    UpdatePolicyAssignmentRankingRequest,
};

use super::stage::{Stage, ensure};
use crate::failure::Failure;

const PRODUCT: &str = "eset.local.products.endpoint";
const SETTINGS: &[u8] = br#"{"policy":{"format":"1"}}"#;
const SETTING: &str = "plugins.p01000101.protectionLevel";
const GROUP: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0001";

/// Creates a policy, reads it back and shows its contents. Returns its UUID.
pub async fn create_and_read(stage: &mut Stage, client: &Client) -> Result<String, Failure> {
    stage.step("A policy: Policies/CreatePolicy and GetPolicy")?;
    let mut feature = FeaturePolicy::product(PRODUCT, SETTINGS);
    let flags = SettingFlags { apply_forcefully: true, read_only: true };
    feature.flags.insert(SETTING.to_owned(), flags);
    let policy = Policy {
        display_name: "Tills: maximum protection".to_owned(),
        features: vec![feature],
        ..Policy::default()
    };
    let uuid = create(client, policy.clone()).await?;
    let read = client.policies().get_policy(&*uuid).await?;
    ensure(read.features == policy.features, "the policy comes back as it was sent")?;
    let feature = read.features.into_iter().next().unwrap_or_default();
    stage.fact("name", &read.display_name)?;
    stage.fact("uuid", &uuid)?;
    stage.forms::<PolicyData>(&feature.configuration.unwrap_or_default())?;
    for (path, flags) in &feature.flags {
        stage.fact("flags", &format!("{path}\n{flags:?}"))?;
    }
    Ok(uuid)
}

/// Assigns it after another policy and moves it to the top.
pub async fn assign(stage: &mut Stage, client: &Client, policy: &str) -> Result<(), Failure> {
    stage.step("It is assigned to a group: PolicyAssignments/AssignPolicy")?;
    let other = Policy { display_name: "Tills: quiet".to_owned(), ..Policy::default() };
    let other = create(client, other).await?;
    let assignments = client.policy_assignments();
    let mut mine = PolicyAssignment::default();
    for uuid in [&other, policy] {
        let assignment = PolicyAssignment {
            policy_uuid: uuid.to_owned(),
            target: Some(PolicyTarget::device_group(GROUP)),
            ..PolicyAssignment::default()
        };
        mine = assignments.assign_policy(assignment).await?;
    }
    stage.fact("on", &format!("group {GROUP}"))?;
    stage.fact("rank", &format!("{}, behind \"Tills: quiet\": a new one comes last", mine.rank))?;

    let request =
        UpdatePolicyAssignmentRankingRequest { assignment_uuid: mine.uuid.clone(), rank: 1 };
    assignments.update_policy_assignment_ranking(request).await?;
    let moved = assignments.get_policy_assignment(mine.uuid).await?;
    ensure(mine.rank == 2 && moved.rank == 1, "a new assignment is last and can be moved")?;
    let text =
        format!("{} after UpdatePolicyAssignmentRanking: it is merged first now", moved.rank);
    stage.fact("rank", &text)
}

async fn create(client: &Client, policy: Policy) -> Result<String, Failure> {
    Ok(client.policies().create_policy(policy).await?.uuid)
}
