//! Pages of every list.

use std::collections::BTreeMap;

use eset_protect::automation::v1::{
    DeleteTaskRequest, ListTaskRunsRequest, ListTasksRequest, ListTasksResponse,
};
use eset_protect::emulator::PageLimits;
use eset_protect::policy_management::v2::policy_target::Target;
use eset_protect::policy_management::v2::{
    ListPoliciesRequest, ListPolicyAssignmentsRequest, Policy,
};
use proptest::prelude::*;

use crate::fixture::*;

#[tokio::test]
async fn sizes_have_a_default_and_a_maximum() {
    for (limits, default, max) in
        [(PageLimits::CLOUD, 50, 1000), (PageLimits::ON_PREM, 100, 10_000)]
    {
        assert_eq!((limits.default_size, limits.max_size), (default, max));
    }
    let limits = PageLimits::new(2, 3);
    let mut fixture = fixture_with(|builder| builder.page_limits(limits)).await;
    for _ in 0..5 {
        fixture.create(task("t", &[])).await;
    }
    for (size, expected) in [(0, 2), (1, 1), (3, 3), (4, 3), (u32::MAX, 3)] {
        assert_eq!(page(&mut fixture, size, "").await.tasks.len(), expected);
    }
}

#[tokio::test]
async fn every_list_can_be_walked() {
    let mut fixture = fixture().await;
    let devices: Vec<String> = (0..7).map(|n| n.to_string()).collect();
    let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
    let made = fixture.create(task("t", &devices)).await;
    let policy = fixture.policy(Policy::default()).await.uuid;
    for device in &devices {
        fixture.policy(Policy::default()).await;
        fixture.assign(&policy, Target::DeviceUuid((*device).to_owned())).await;
    }
    let (mut tokens, mut seen) = ([const { String::new() }; 3], [0; 3]);
    for turn in 0.. {
        let [a, b, c] = tokens;
        let runs = ListTaskRunsRequest {
            task_uuid: made.uuid.clone(),
            page_size: 3,
            page_token: a,
            ..Default::default()
        };
        let runs = fixture.tasks.list_task_runs(runs).await.unwrap().into_inner();
        let policies = ListPoliciesRequest { page_size: 3, page_token: b };
        let policies = fixture.policies.list_policies(policies).await.unwrap().into_inner();
        let assignments = ListPolicyAssignmentsRequest {
            page_size: 3,
            page_token: c,
            policy_uuid: policy.clone(),
            ..Default::default()
        };
        let assignments =
            fixture.assignments.list_policy_assignments(assignments).await.unwrap().into_inner();
        seen[0] += runs.task_runs.len();
        seen[1] += policies.policies.len();
        seen[2] += assignments.assignments.len();
        tokens = [runs.next_page_token, policies.next_page_token, assignments.next_page_token];
        assert!(tokens.iter().all(|token| token.len() <= 128));
        if turn == 2 {
            break;
        }
    }
    assert_eq!((seen, tokens), ([7, 8, 7], [const { String::new() }; 3]));
}

#[tokio::test]
async fn tokens_belong_to_their_list_and_filters() {
    let mut fixture = fixture().await;
    for _ in 0..3 {
        fixture.create(task("t", &["a", "b"])).await;
        fixture.policy(Policy::default()).await;
    }
    let token = page(&mut fixture, 1, "").await.next_page_token;
    // The page size may change from page to page.
    assert_eq!(page(&mut fixture, 2, &token).await.tasks.len(), 2);

    let request = ListPoliciesRequest { page_token: token.clone(), ..Default::default() };
    assert_eq!(wrong_fields(fixture.policies.list_policies(request).await), ["page_token"]);
    let task_uuid = page(&mut fixture, 1, "").await.tasks.remove(0).uuid;
    let request = ListTaskRunsRequest { task_uuid, page_size: 1, ..Default::default() };
    let page_token =
        fixture.tasks.list_task_runs(request.clone()).await.unwrap().into_inner().next_page_token;
    for other in [
        ListTaskRunsRequest { device_uuid: "a".into(), ..request.clone() },
        ListTaskRunsRequest { list_only_last_runs: true, ..request.clone() },
    ] {
        let request = ListTaskRunsRequest { page_token: page_token.clone(), ..other };
        assert_eq!(wrong_fields(fixture.tasks.list_task_runs(request).await), ["page_token"]);
    }
    let mut tampered = token.clone();
    tampered.replace_range(15..16, "f");
    for garbage in [
        &*tampered,
        "x",
        "ž",
        &token[1..],
        &token.to_uppercase().replace('A', "b"),
        &"0".repeat(129),
    ] {
        if garbage == token {
            continue;
        }
        let request = ListTasksRequest { page_token: garbage.to_owned(), ..Default::default() };
        assert_eq!(wrong_fields(fixture.tasks.list_tasks(request).await), ["page_token"]);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Create,
    Delete(usize),
    NextPage(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Create),
        3 => any::<usize>().prop_map(Step::Delete),
        4 => (1..4u32).prop_map(Step::NextPage),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    /// While items are added and removed, a walk returns each item that exists all the time exactly once,
    /// none twice, and none that was removed before it started.
    #[test]
    fn a_walk_sees_everything_that_stays_once(before in 0..12usize, steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check_walk(before, steps));
    }
}

async fn check_walk(before: usize, steps: Vec<Step>) {
    let mut fixture = fixture().await;
    let mut there = Vec::new();
    for n in 0..before {
        there.push(fixture.create(task(&n.to_string(), &[])).await.uuid);
    }
    let mut stays = there.clone();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut token = Some(String::new());
    let rest = std::iter::repeat_n(Step::NextPage(5), 20);
    for (n, step) in steps.into_iter().chain(rest).enumerate() {
        match step {
            Step::Create => {
                there.push(fixture.create(task(&format!("new {n}"), &[])).await.uuid);
            }
            Step::Delete(which) if !there.is_empty() => {
                let task_uuid = there.remove(which % there.len());
                stays.retain(|uuid| *uuid != task_uuid);
                fixture.tasks.delete_task(DeleteTaskRequest { task_uuid }).await.unwrap();
            }
            Step::Delete(_) => {}
            Step::NextPage(size) => {
                let Some(last) = token else { continue };
                let page = page(&mut fixture, size, &last).await;
                for task in page.tasks {
                    *seen.entry(task.uuid).or_default() += 1;
                }
                token = Some(page.next_page_token).filter(|token| !token.is_empty());
            }
        }
    }
    assert!(token.is_none(), "the walk ends");
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    assert!(stays.iter().all(|uuid| seen.contains_key(uuid)), "{stays:?} {seen:?}");
}

async fn page(fixture: &mut Fixture, page_size: u32, page_token: &str) -> ListTasksResponse {
    let request = ListTasksRequest { page_size, page_token: page_token.to_owned() };
    fixture.tasks.list_tasks(request).await.unwrap().into_inner()
}
