//! Policy assignments.

use eset_protect::policy_management::v2::{
    ListPolicyAssignmentsRequest, Policy, PolicyAssignment, PolicyTarget,
    UpdatePolicyAssignmentRankingRequest,
};

use crate::{World, over_both_wires};

async fn policy(world: &mut World, name: &str) -> String {
    let policy = Policy { display_name: name.to_owned(), ..Default::default() };
    let created = world.client.policies().create_policy(policy).await;
    world.note("policy", created).expect("a policy").uuid
}

async fn assign(world: &mut World, policy_uuid: &str, target: PolicyTarget) -> Option<String> {
    let assignment = PolicyAssignment {
        policy_uuid: policy_uuid.to_owned(),
        target: Some(target),
        ..Default::default()
    };
    let assigned = world.client.policy_assignments().assign_policy(assignment).await;
    world.note("assigned", assigned).map(|made| made.uuid)
}

async fn ranks(world: &mut World, target: PolicyTarget) {
    let request = ListPolicyAssignmentsRequest { target: Some(target), ..Default::default() };
    let listed = world.client.policy_assignments().list_policy_assignments(request).await;
    let ranks = listed.map(|page| {
        let ranks = page.assignments.iter();
        ranks.map(|assignment| (assignment.uuid.clone(), assignment.rank)).collect::<Vec<_>>()
    });
    world.note("ranks", ranks);
}

#[tokio::test]
async fn ranks_are_appended_moved_and_renumbered() {
    over_both_wires(async |world| {
        let target = PolicyTarget::device_group("group/&%one");
        let mut assigned = Vec::new();
        for name in ["a", "b", "c", "d"] {
            let policy = policy(world, name).await;
            assigned.extend(assign(world, &policy, target.clone()).await);
        }
        ranks(world, target.clone()).await;
        let assignments = world.client.policy_assignments();
        for (index, rank) in [(3, 1), (0, 4), (2, 2), (1, 0), (1, 5), (1, u32::MAX)] {
            let request = UpdatePolicyAssignmentRankingRequest {
                assignment_uuid: assigned[index].clone(),
                rank,
            };
            let moved = assignments.update_policy_assignment_ranking(request).await;
            world.note(&format!("{index} to {rank}"), moved);
            ranks(world, target.clone()).await;
        }
        world.note("removed", assignments.unassign_policy(assigned[1].as_str()).await);
        world.note("gone", assignments.get_policy_assignment(assigned[1].as_str()).await);
        world.note("there", assignments.get_policy_assignment(assigned[0].as_str()).await);
        ranks(world, target.clone()).await;
    })
    .await;
}

#[tokio::test]
async fn filters_go_together() {
    over_both_wires(async |world| {
        let (one, two) = (policy(world, "one").await, policy(world, "two").await);
        let targets = [
            PolicyTarget::device("d"),
            PolicyTarget::device_group("g"),
            PolicyTarget::subscription("s"),
        ];
        for target in &targets {
            assign(world, &one, target.clone()).await;
            assign(world, &two, target.clone()).await;
        }
        let all = ListPolicyAssignmentsRequest::default();
        for (what, request) in [
            ("policy", ListPolicyAssignmentsRequest { policy_uuid: one.clone(), ..all.clone() }),
            (
                "policies",
                ListPolicyAssignmentsRequest {
                    policy_uuids: vec![one.clone(), two.clone(), "none".to_owned()],
                    ..all.clone()
                },
            ),
            (
                "policy and target",
                ListPolicyAssignmentsRequest {
                    policy_uuids: vec![two.clone()],
                    target: Some(targets[1].clone()),
                    ..all.clone()
                },
            ),
            (
                "subscription",
                ListPolicyAssignmentsRequest { target: Some(targets[2].clone()), ..all.clone() },
            ),
        ] {
            let listed = world.client.policy_assignments().list_policy_assignments(request).await;
            world.note(what, listed);
        }
    })
    .await;
}

#[tokio::test]
async fn an_assignment_needs_a_policy_and_a_target() {
    over_both_wires(async |world| {
        assert!(assign(world, "no such policy", PolicyTarget::device("d")).await.is_none());
        let policy = policy(world, "p").await;
        assert!(assign(world, &policy, PolicyTarget::default()).await.is_none());
        assert!(assign(world, &policy, PolicyTarget::device("")).await.is_none());
    })
    .await;
}
