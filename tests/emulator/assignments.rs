//! Policy assignments and their ranks.

use eset_protect::device_management::v1;
use eset_protect::emulator::{self, Builder};
use eset_protect::policy_management::v2::policy_target::Target;
use eset_protect::policy_management::v2::{
    AssignPolicyRequest, DeletePolicyRequest, GetPolicyAssignmentRequest,
    ListPolicyAssignmentsRequest, Policy, PolicyAssignment, PolicyTarget, UnassignPolicyRequest,
    UpdatePolicyAssignmentRankingRequest,
};
use eset_protect::proto::google::rpc::{PreconditionFailure, ResourceInfo};
use proptest::prelude::*;
use tonic::Code;

use crate::fixture::*;

#[tokio::test]
async fn an_assignment_needs_a_policy_and_a_target_and_comes_last() {
    let mut fixture = fixture().await;
    let policy = fixture.policy(Policy::default()).await.uuid;
    let reply = fixture.assignments.assign_policy(AssignPolicyRequest { assignment: None }).await;
    assert_eq!(wrong_fields(reply), ["assignment"]);
    let request = AssignPolicyRequest {
        assignment: Some(PolicyAssignment {
            policy_uuid: policy.clone(),
            target: Some(PolicyTarget { target: None }),
            ..Default::default()
        }),
    };
    let reply = fixture.assignments.assign_policy(request).await;
    assert_eq!(wrong_fields(reply), ["assignment.target"]);
    let request =
        AssignPolicyRequest { assignment: Some(assignment("", Target::DeviceUuid("".into()))) };
    let reply = fixture.assignments.assign_policy(request).await;
    assert_eq!(wrong_fields(reply), ["assignment.policy_uuid", "assignment.target.device_uuid"]);
    let request = AssignPolicyRequest { assignment: Some(assignment("none", device("d"))) };
    let status = fixture.assignments.assign_policy(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(detail::<ResourceInfo>(&status).resource_name, "none");

    let mut sent = assignment(&policy, device("d"));
    (sent.uuid, sent.rank) = ("mine".into(), 9);
    let request = AssignPolicyRequest { assignment: Some(sent) };
    let first = fixture.assignments.assign_policy(request).await.unwrap().into_inner();
    let first = first.assignment.unwrap();
    assert_eq!(first.rank, 1);
    assert_ne!(first.uuid, "mine");
    assert_eq!(fixture.assign(&policy, device("d")).await.rank, 2);
    // The same identifier with another kind of target is another target.
    assert_eq!(fixture.assign(&policy, Target::DeviceGroupUuid("d".into())).await.rank, 1);
    assert_eq!(fixture.assign(&policy, Target::SubscriptionUuid("d".into())).await.rank, 1);
    let request = GetPolicyAssignmentRequest { assignment_uuid: first.uuid.clone() };
    let got = fixture.assignments.get_policy_assignment(request).await.unwrap().into_inner();
    assert_eq!(got.assignment.unwrap(), first);
}

#[tokio::test]
async fn a_strict_emulator_looks_targets_up() {
    let [stored, listed, group, of_fleet] = ["stored", "listed", "group", "fleet"];
    let builder = |builder: Builder| {
        let device = v1::Device { uuid: stored.to_owned(), ..Default::default() };
        let stored = v1::DeviceGroup { uuid: group.to_owned(), ..Default::default() };
        let builder = builder.resource(&device).resource(&stored);
        builder.device(emulator::Device::new(listed).in_group(of_fleet)).strict(true)
    };
    let mut fixture = fixture_with(builder).await;
    let policy =
        fixture.policy(Policy { display_name: "Strict".into(), ..Default::default() }).await.uuid;
    for known in [
        device(stored),
        device(listed),
        Target::DeviceGroupUuid(group.to_owned()),
        Target::DeviceGroupUuid(of_fleet.to_owned()),
        Target::SubscriptionUuid("any".to_owned()),
    ] {
        assert_eq!(fixture.assign(&policy, known).await.rank, 1);
    }
    for (unknown, kind) in [
        (device(group), "eset.dotnod.device_management.v1.Device"),
        (Target::DeviceGroupUuid(stored.into()), "eset.dotnod.device_management.v1.DeviceGroup"),
    ] {
        let request = AssignPolicyRequest { assignment: Some(assignment(&policy, unknown)) };
        let status = fixture.assignments.assign_policy(request).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(detail::<ResourceInfo>(&status).resource_type, kind);
    }
    assert_eq!(list(&mut fixture, Default::default()).await.len(), 5);
}

#[tokio::test]
async fn ranking_has_bounds_and_makes_room() {
    let mut fixture = fixture().await;
    let policy = fixture.policy(Policy::default()).await.uuid;
    let mut uuids = Vec::new();
    for _ in 0..4 {
        uuids.push(fixture.assign(&policy, device("d")).await.uuid);
    }
    assert_eq!(wrong_fields(rank(&mut fixture, &uuids[0], 0).await), ["rank"]);
    let status = rank(&mut fixture, &uuids[0], 5).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(detail::<PreconditionFailure>(&status).violations[0].subject, uuids[0]);
    assert_eq!(code(rank(&mut fixture, "none", 1).await), Code::NotFound);
    assert_eq!(code(rank(&mut fixture, "", 1).await), Code::InvalidArgument);

    rank(&mut fixture, &uuids[3], 2).await.unwrap();
    assert_eq!(ranks(&mut fixture, &uuids).await, [1, 3, 4, 2]);
    rank(&mut fixture, &uuids[0], 4).await.unwrap();
    assert_eq!(ranks(&mut fixture, &uuids).await, [4, 2, 3, 1]);
    let request = UnassignPolicyRequest { assignment_uuid: uuids.remove(1) };
    fixture.assignments.unassign_policy(request.clone()).await.unwrap();
    assert_eq!(code(fixture.assignments.unassign_policy(request).await), Code::NotFound);
    assert_eq!(ranks(&mut fixture, &uuids).await, [3, 2, 1]);
}

#[tokio::test]
async fn deleting_a_policy_removes_its_assignments() {
    let mut fixture = fixture().await;
    let gone = fixture.policy(Policy::default()).await.uuid;
    let kept = fixture.policy(Policy::default()).await.uuid;
    let mut uuids = Vec::new();
    for policy in [&gone, &kept, &gone, &gone, &kept] {
        uuids.push(fixture.assign(policy, device("d")).await.uuid);
    }
    fixture.assign(&gone, device("e")).await;
    fixture.policies.delete_policy(DeletePolicyRequest { policy_uuid: gone }).await.unwrap();
    assert_eq!(list(&mut fixture, Default::default()).await.len(), 2);
    assert_eq!(ranks(&mut fixture, &[uuids[1].clone(), uuids[4].clone()]).await, [1, 2]);
    assert_eq!(fixture.assign(&kept, device("e")).await.rank, 1);
}

#[tokio::test]
async fn lists_are_filtered_by_policies_and_target() {
    let mut fixture = fixture().await;
    let mut policies = Vec::new();
    for _ in 0..3 {
        policies.push(fixture.policy(Policy::default()).await.uuid);
    }
    let group = Target::DeviceGroupUuid("d".into());
    for policy in &policies {
        fixture.assign(policy, device("d")).await;
        fixture.assign(policy, group.clone()).await;
    }
    let [a, b, _] = [&policies[0], &policies[1], &policies[2]].map(Clone::clone);
    let target = |target| Some(PolicyTarget { target });
    let request = ListPolicyAssignmentsRequest::default;
    for (count, request) in [
        (6, request()),
        (6, ListPolicyAssignmentsRequest { target: target(None), ..request() }),
        (2, ListPolicyAssignmentsRequest { policy_uuid: a.clone(), ..request() }),
        (4, ListPolicyAssignmentsRequest { policy_uuids: vec![a.clone(), b.clone()], ..request() }),
        (3, ListPolicyAssignmentsRequest { target: target(Some(group.clone())), ..request() }),
        (
            1,
            ListPolicyAssignmentsRequest {
                policy_uuids: vec![a.clone(), b.clone()],
                policy_uuid: b.clone(),
                target: target(Some(group)),
                ..request()
            },
        ),
        (0, ListPolicyAssignmentsRequest { policy_uuids: vec![a], policy_uuid: b, ..request() }),
        (0, ListPolicyAssignmentsRequest { policy_uuid: "none".into(), ..request() }),
    ] {
        assert_eq!(list(&mut fixture, request.clone()).await.len(), count, "{request:?}");
    }
    let crowded =
        ListPolicyAssignmentsRequest { policy_uuids: vec!["p".into(); 10_001], ..request() };
    let fields = wrong_fields(fixture.assignments.list_policy_assignments(crowded).await);
    assert_eq!(fields, ["policy_uuids"]);
    let long = "x".repeat(101);
    let wrong = ListPolicyAssignmentsRequest {
        policy_uuids: vec![String::new()],
        policy_uuid: long.clone(),
        target: target(Some(device(&long))),
        ..request()
    };
    let fields = wrong_fields(fixture.assignments.list_policy_assignments(wrong).await);
    assert_eq!(fields, ["policy_uuids[0]", "policy_uuid", "target.device_uuid"]);
}

#[derive(Clone, Debug)]
enum Step {
    Assign { policy: usize, target: usize },
    Unassign(usize),
    Move(usize, usize),
    DeletePolicy(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3usize, 0..3usize).prop_map(|(policy, target)| Step::Assign { policy, target }),
        2 => any::<usize>().prop_map(Step::Unassign),
        4 => (any::<usize>(), any::<usize>()).prop_map(|(which, rank)| Step::Move(which, rank)),
        1 => (0..3usize).prop_map(Step::DeletePolicy),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    /// Whatever happens, the ranks of each target are 1 to n, in the order of a plain list.
    #[test]
    fn ranks_stay_without_gaps(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check_ranks(steps));
    }
}

async fn check_ranks(steps: Vec<Step>) {
    let mut fixture = fixture().await;
    let mut policies = Vec::new();
    for _ in 0..3 {
        policies.push(fixture.policy(Policy::default()).await.uuid);
    }
    // The expected state: the (assignment, policy) pairs of each target in the order of their ranks.
    let mut model: Vec<Vec<(String, usize)>> = vec![Vec::new(); 3];
    for step in steps {
        let all: Vec<(usize, usize)> = model
            .iter()
            .enumerate()
            .flat_map(|(target, list)| (0..list.len()).map(move |at| (target, at)))
            .collect();
        match step {
            Step::Assign { policy, target } => {
                let made = fixture.assign(&policies[policy], device(&target.to_string())).await;
                model[target].push((made.uuid, policy));
            }
            Step::Unassign(which) if !all.is_empty() => {
                let (target, at) = all[which % all.len()];
                let (assignment_uuid, _) = model[target].remove(at);
                let request = UnassignPolicyRequest { assignment_uuid };
                fixture.assignments.unassign_policy(request).await.unwrap();
            }
            Step::Move(which, to) if !all.is_empty() => {
                let (target, at) = all[which % all.len()];
                let to = to % model[target].len();
                let entry = model[target].remove(at);
                rank(&mut fixture, &entry.0, u32::try_from(to + 1).unwrap()).await.unwrap();
                model[target].insert(to, entry);
            }
            Step::DeletePolicy(policy) => {
                let request = DeletePolicyRequest { policy_uuid: policies[policy].clone() };
                fixture.policies.delete_policy(request).await.unwrap();
                policies[policy] = fixture.policy(Policy::default()).await.uuid;
                model.iter_mut().for_each(|list| list.retain(|(_, of)| *of != policy));
            }
            Step::Unassign(_) | Step::Move(..) => {}
        }
        for (target, expected) in model.iter().enumerate() {
            let target = Some(PolicyTarget { target: Some(device(&target.to_string())) });
            let request = ListPolicyAssignmentsRequest { target, ..Default::default() };
            let mut found = list(&mut fixture, request).await;
            found.sort_by_key(|assignment| assignment.rank);
            assert!(found.iter().zip(1..).all(|(assignment, rank)| assignment.rank == rank));
            assert!(found.iter().map(|a| &a.uuid).eq(expected.iter().map(|(uuid, _)| uuid)));
        }
    }
}

fn device(uuid: &str) -> Target {
    Target::DeviceUuid(uuid.to_owned())
}

async fn rank(
    fixture: &mut Fixture,
    uuid: &str,
    rank: u32,
) -> Reply<eset_protect::policy_management::v2::UpdatePolicyAssignmentRankingResponse> {
    let request = UpdatePolicyAssignmentRankingRequest { assignment_uuid: uuid.to_owned(), rank };
    fixture.assignments.update_policy_assignment_ranking(request).await
}

async fn ranks(fixture: &mut Fixture, uuids: &[String]) -> Vec<u32> {
    let all = list(fixture, Default::default()).await;
    let rank = |uuid: &String| all.iter().find(|found| found.uuid == *uuid).unwrap().rank;
    uuids.iter().map(rank).collect()
}

async fn list(
    fixture: &mut Fixture,
    request: ListPolicyAssignmentsRequest,
) -> Vec<PolicyAssignment> {
    fixture.assignments.list_policy_assignments(request).await.unwrap().into_inner().assignments
}
