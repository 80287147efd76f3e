//! Creates a policy, assigns it to a group, and moves it to the highest rank.
//!
//!     cargo run --features emulator --example policy

mod support;

use eset_protect::params::PolicyData;
use eset_protect::policy_management::v2::{
    FeaturePolicy, Policy, PolicyAssignment, PolicyTarget, UpdatePolicyAssignmentRankingRequest,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = support::target().await?;
    let (policies, assignments) = (target.client.policies(), target.client.policy_assignments());

    let settings = r#"{"policy":{"format":"1","data":{"endpoint":{}}}}"#;
    let policy = Policy {
        display_name: "Strict".into(),
        features: vec![FeaturePolicy::product("eset.local.products.endpoint", settings)],
        ..Default::default()
    };
    let policy = policies.create_policy(policy).await?;
    println!("{}", serde_json::to_string_pretty(&policy)?);

    let configuration = policy.features[0].configuration.clone().unwrap_or_default();
    let data: PolicyData = configuration.unpack()?;
    println!("{} bytes of settings for {}", data.data().len(), data.product());

    let assignment = PolicyAssignment {
        policy_uuid: policy.uuid.clone(),
        target: Some(PolicyTarget::device_group("00000000-0000-0000-7001-000000000001")),
        ..Default::default()
    };
    let assigned = assignments.assign_policy(assignment).await?;
    println!("assigned at rank {}", assigned.rank);

    let first =
        UpdatePolicyAssignmentRankingRequest { assignment_uuid: assigned.uuid.clone(), rank: 1 };
    assignments.update_policy_assignment_ranking(first).await?;
    assignments.unassign_policy(assigned.uuid).await?;
    policies.delete_policy(policy.uuid).await?;
    target.close().await;
    Ok(())
}
