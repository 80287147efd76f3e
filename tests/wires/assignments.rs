//! Policy assignments.

use eset_protect::policy_management::v2::{
    ListPolicyAssignmentsRequest, Policy, PolicyAssignment, PolicyTarget,
    UpdatePolicyAssignmentRankingRequest,
};

use crate::{Fixture, over_all_routes};

async fn policy(fixture: &mut Fixture, name: &str) -> String {
    let policy = Policy { display_name: name.to_owned(), ..Default::default() };
    let created = fixture.client.policies().create_policy(policy).await;
    fixture.note("policy", created).expect("a policy").uuid
}

async fn assign(fixture: &mut Fixture, policy_uuid: &str, target: PolicyTarget) -> Option<String> {
    let assignment = PolicyAssignment {
        policy_uuid: policy_uuid.to_owned(),
        target: Some(target),
        ..Default::default()
    };
    let assigned = fixture.client.policy_assignments().assign_policy(assignment).await;
    fixture.note("assigned", assigned).map(|made| made.uuid)
}

async fn ranks(fixture: &mut Fixture, target: PolicyTarget) {
    let request = ListPolicyAssignmentsRequest { target: Some(target), ..Default::default() };
    let listed = fixture.client.policy_assignments().list_policy_assignments(request).await;
    let ranks = listed.map(|page| {
        let ranks = page.assignments.iter();
        ranks.map(|assignment| (assignment.uuid.clone(), assignment.rank)).collect::<Vec<_>>()
    });
    fixture.note("ranks", ranks);
}

#[tokio::test]
async fn ranks_are_appended_moved_and_renumbered() {
    over_all_routes(async |fixture| {
        let target = PolicyTarget::device_group("group/&%one");
        let mut assigned = Vec::new();
        for name in ["a", "b", "c", "d"] {
            let policy = policy(fixture, name).await;
            assigned.extend(assign(fixture, &policy, target.clone()).await);
        }
        ranks(fixture, target.clone()).await;
        let assignments = fixture.client.policy_assignments();
        for (index, rank) in [(3, 1), (0, 4), (2, 2), (1, 0), (1, 5), (1, u32::MAX)] {
            let request = UpdatePolicyAssignmentRankingRequest {
                assignment_uuid: assigned[index].clone(),
                rank,
            };
            let moved = assignments.update_policy_assignment_ranking(request).await;
            fixture.note(&format!("{index} to {rank}"), moved);
            ranks(fixture, target.clone()).await;
        }
        fixture.note("removed", assignments.unassign_policy(assigned[1].as_str()).await);
        fixture.note("gone", assignments.get_policy_assignment(assigned[1].as_str()).await);
        fixture.note("there", assignments.get_policy_assignment(assigned[0].as_str()).await);
        ranks(fixture, target.clone()).await;
    })
    .await;
}

#[tokio::test]
async fn filters_go_together() {
    over_all_routes(async |fixture| {
        let (one, two) = (policy(fixture, "one").await, policy(fixture, "two").await);
        let targets = [
            PolicyTarget::device("d"),
            PolicyTarget::device_group("g"),
            PolicyTarget::subscription("s"),
        ];
        for target in &targets {
            assign(fixture, &one, target.clone()).await;
            assign(fixture, &two, target.clone()).await;
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
            let listed = fixture.client.policy_assignments().list_policy_assignments(request).await;
            fixture.note(what, listed);
        }
    })
    .await;
}

#[tokio::test]
async fn an_assignment_needs_a_policy_and_a_target() {
    over_all_routes(async |fixture| {
        assert!(assign(fixture, "no such policy", PolicyTarget::device("d")).await.is_none());
        let policy = policy(fixture, "p").await;
        assert!(assign(fixture, &policy, PolicyTarget::default()).await.is_none());
        assert!(assign(fixture, &policy, PolicyTarget::device("")).await.is_none());
    })
    .await;
}
