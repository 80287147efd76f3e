//! Rolling policies out: killed at every step, the old state or the new one is reached, and nothing else is left.

use std::collections::BTreeMap;

use eset_protect::policy::{AssignmentFile, PolicyFile, Target};
use eset_protect::policy_management::v2::{
    Policy, PolicyAssignment, UpdatePolicyAssignmentRankingRequest,
};
use eset_protect::rollout::{Change, Plan, RolloutError, Step, Tenant};
use fastrand::Rng;

use crate::stage::{GROUPS, Stage, State, file, state};

/// Every target has all of its old policies or all of its new ones.
fn is_protected(now: &State, old: &State, new: &State) -> bool {
    old.1.keys().chain(new.1.keys()).all(|target| {
        let has_all = |state: &State| {
            let wanted = state.1.get(target).map_or(&[][..], Vec::as_slice);
            wanted.iter().all(|policy| now.1.get(target).is_some_and(|on| on.contains(policy)))
        };
        has_all(old) || has_all(new)
    })
}

fn random_files(rng: &mut Rng) -> Vec<PolicyFile> {
    let mut ranks = [1, 1];
    let mut files = Vec::new();
    for name in ["a", "b", "c"] {
        if rng.u8(..4) == 0 {
            continue;
        }
        let mut assignments = Vec::new();
        for (group, rank) in GROUPS.iter().zip(&mut ranks) {
            if rng.bool() {
                let target = Target::Group((*group).to_owned());
                assignments.push(AssignmentFile::new(target, rng.bool().then_some(*rank)));
                *rank += 1;
            }
        }
        let mut file = PolicyFile::new(name);
        file.description = rng.choice(["x", "y"]).unwrap().to_owned();
        file.assignments = assignments;
        files.push(file);
    }
    rng.shuffle(&mut files);
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_is_killed_at_every_step() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let mut rng = Rng::with_seed(12);
    let (mut runs, mut moments) = (0, 0);
    while runs < 1000 {
        let old = state(&stage.tenant().await);
        let files = random_files(&mut rng);
        let mut new = None;
        for moment in 0.. {
            let plan = stage.plan(&files).await;
            let killed = stage.killed_at(moment, async || plan.apply(client, |_| {}).await).await;
            let tenant = stage.tenant().await;
            let now = state(&tenant);
            if !killed {
                new = Some(now);
                break;
            }
            // The way back is a journal of its own, and may be interrupted, too.
            let back = plan.roll_back(tenant).unwrap();
            let back: Plan = serde_json::from_slice(&serde_json::to_vec(&back).unwrap()).unwrap();
            let at = rng.usize(0..8);
            stage.killed_at(at, async || back.apply(client, |_| {}).await).await;
            back.apply(client, |_| {}).await.unwrap();
            let end = state(&stage.tenant().await);
            assert_eq!(end, old, "rolled back from {moment}: {now:?}");
            (runs, moments) = (runs + 1, moments + 1);
        }
        let new = new.unwrap();
        // On from the new state to another, killed and resumed.
        let files = random_files(&mut rng);
        let moment = rng.usize(0..16);
        let plan = stage.plan(&files).await;
        if stage.killed_at(moment, async || plan.apply(client, |_| {}).await).await {
            let now = state(&stage.tenant().await);
            // A server that fails at random: applied until it is done.
            while stage.killed_at(rng.usize(0..6), async || plan.apply(client, |_| {}).await).await
            {
            }
            let end = state(&stage.tenant().await);
            assert!(is_protected(&now, &new, &end), "{new:?}\n{now:?}\n{end:?}");
            runs += 1;
        }
        let again = Plan::new(stage.tenant().await, &files, true).unwrap();
        assert!(again.is_empty(), "{:?}", again.changes());
        plan.apply(client, |step| panic!("{step}")).await.unwrap();
    }
    assert!(moments > 500, "{moments} moments in {runs} runs");
    stage.emulator.shutdown().await;
}

#[tokio::test]
async fn a_plan_says_what_changes_and_apply_does_it() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let foreign = Policy { display_name: "foreign".into(), ..Default::default() };
    let foreign = client.policies().create_policy(foreign).await.unwrap();
    let target = Target::Group(GROUPS[0].to_owned());
    let assignment = PolicyAssignment {
        policy_uuid: foreign.uuid.clone(),
        target: Some(target.clone().into()),
        ..Default::default()
    };
    client.policy_assignments().assign_policy(assignment).await.unwrap();

    let files = [file("a", "1", [Some(1)]), file("b", "1", [None])];
    let plan = Plan::new(stage.tenant().await, &files, false).unwrap();
    let lines: Vec<_> = plan.changes().iter().map(Change::to_string).collect();
    let group = GROUPS[0];
    assert_eq!(
        lines,
        [
            r#"+ create "a""#.to_owned(),
            r#"+ create "b""#.to_owned(),
            format!(r#"+ assign "a" to group {group} at rank 1"#),
            format!(r#"+ assign "b" to group {group} at rank 3"#),
        ]
    );
    let mut steps = Vec::new();
    plan.apply(client, |step| steps.push(step.to_string())).await.unwrap();
    assert_eq!(steps.len(), 5, "{steps:?}");

    // The replacement takes the rank of the old one before the old one goes.
    let files = [file("a", "2", [Some(1)]), file("b", "1", [Some(2)])];
    let plan = Plan::new(stage.tenant().await, &files, false).unwrap();
    let mut steps = Vec::new();
    plan.apply(client, |step| steps.push(step.to_string())).await.unwrap();
    let verbs: Vec<_> = steps.iter().map(|s| s.split(' ').next().unwrap()).collect();
    assert_eq!(verbs, ["create", "assign", "move", "move", "unassign", "delete"], "{steps:?}");
    let (_, on) = state(&stage.tenant().await);
    let names: Vec<_> = on[&target].iter().map(|p| p.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["a", "b", "foreign"]);

    // Only with `prune` does what has no file go.
    let keep = Plan::new(stage.tenant().await, &files, false).unwrap();
    assert!(keep.is_empty());
    let prune = Plan::new(stage.tenant().await, &files, true).unwrap();
    assert!(matches!(&prune.changes()[0], Change::Delete { policy, .. } if policy == "foreign"));
    stage.emulator.shutdown().await;
}

#[tokio::test]
async fn a_tenant_that_changed_is_left_alone() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let plan = Plan::new(stage.tenant().await, &[file("a", "1", [None])], false).unwrap();
    let foreign = Policy { display_name: "foreign".into(), ..Default::default() };
    client.policies().create_policy(foreign).await.unwrap();
    let before = stage.tenant().await;
    let runs = [plan.apply(client, |_| {}).await, plan.roll_back(before.clone()).map(drop)];
    for run in runs {
        let error = run.unwrap_err().to_string();
        let expected = r#"the tenant changed since the plan: the new policy "foreign" "#;
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(stage.tenant().await, before);
    stage.emulator.shutdown().await;
}

/// Somebody else ranks, assigns, removes or creates while a rollout is interrupted, wherever that is.
#[tokio::test]
async fn changes_by_others_are_noticed_at_every_step() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let group = |index: usize| Target::Group(GROUPS[index].to_owned());
    let both = |mut file: PolicyFile| {
        file.assignments.push(AssignmentFile::new(group(1), None));
        file
    };
    let files =
        [both(file("a", "1", [Some(1)])), file("b", "1", [Some(2)]), file("c", "1", [None])];
    let plan = stage.plan(&files).await;
    plan.apply(client, |_| {}).await.unwrap();
    let start = state(&stage.tenant().await);
    let files =
        [file("a", "2", [Some(2)]), both(file("b", "1", [Some(1)])), file("d", "1", [None])];
    for moment in 0.. {
        let plan = stage.plan(&files).await;
        let killed = stage.killed_at(moment, async || plan.apply(client, |_| {}).await).await;
        let now = stage.tenant().await;
        // Moving the last one to the top is an order that this plan never passes through.
        let on: Vec<_> =
            now.assignments.iter().filter(|a| a.target == Some(group(0).into())).collect();
        let last = on.iter().max_by_key(|a| a.rank).unwrap();
        let rank = |rank| {
            let assignment_uuid = last.uuid.clone();
            let assignments = client.policy_assignments();
            let request = UpdatePolicyAssignmentRankingRequest { assignment_uuid, rank };
            async move { assignments.update_policy_assignment_ranking(request).await.unwrap() }
        };
        rank(1).await;
        refused(&stage, &plan, &format!("the order of the policies on group {}", GROUPS[0])).await;
        rank(last.rank).await;

        let of = on.iter().min_by_key(|a| a.rank).unwrap();
        let elsewhere = PolicyAssignment {
            policy_uuid: of.policy_uuid.clone(),
            target: Some(Target::Device("11111111-1111-4111-8111-111111111111".into()).into()),
            ..Default::default()
        };
        let elsewhere = client.policy_assignments().assign_policy(elsewhere).await.unwrap();
        refused(&stage, &plan, "the policies on device 11111111-1111-4111-8111-111111111111").await;
        client.policy_assignments().unassign_policy(elsewhere.uuid).await.unwrap();

        if !killed {
            break;
        }
        let back = plan.roll_back(stage.tenant().await).unwrap();
        back.apply(client, |_| {}).await.unwrap();
        assert_eq!(state(&stage.tenant().await), start);
    }
    stage.emulator.shutdown().await;
}

async fn refused(stage: &Stage, plan: &Plan, what: &str) {
    let before = stage.tenant().await;
    let errors = [
        plan.apply(&stage.client, |_| {}).await.unwrap_err(),
        plan.roll_back(before.clone()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), format!("the tenant changed since the plan: {what}"));
    }
    assert_eq!(stage.tenant().await, before);
}

/// Policies that only their UUIDs tell apart come back where they were, also after interruptions.
#[tokio::test]
async fn what_was_deleted_comes_back_as_the_plan_of_the_way_back_says() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let on = async |policy: &Policy, group: &str| {
        let target = Some(Target::Group(group.to_owned()).into());
        let policy_uuid = policy.uuid.clone();
        let assignment = PolicyAssignment { policy_uuid, target, ..Default::default() };
        client.policy_assignments().assign_policy(assignment).await.unwrap()
    };
    let same = Policy { display_name: "same".into(), ..Default::default() };
    let policies = client.policies();
    let twins = [
        policies.create_policy(same.clone()).await.unwrap(),
        policies.create_policy(same).await.unwrap(),
    ];
    for (twin, groups) in twins.iter().zip([&GROUPS[..], &GROUPS[..1]]) {
        for group in groups {
            on(twin, group).await;
        }
    }
    let shape = |tenant: &Tenant| {
        let mut shape = BTreeMap::<_, Vec<_>>::new();
        for a in &tenant.assignments {
            let target = Target::of(a.target.as_ref()).unwrap();
            shape.entry(a.policy_uuid.clone()).or_default().push((target, a.rank));
        }
        let mut shape: Vec<_> = shape.into_values().collect();
        shape.iter_mut().for_each(|on| on.sort());
        shape.sort();
        shape
    };
    let start = shape(&stage.tenant().await);
    for moment in 0.. {
        let plan = stage.plan(&[file("new", "", [None])]).await;
        // Killed after the last step: everything is deleted.
        plan.apply(client, |_| {}).await.unwrap();
        let back = plan.roll_back(stage.tenant().await).unwrap();
        assert!(back.rolls_back());
        let lines: Vec<_> = back.changes().iter().map(Change::to_string).collect();
        let again = "+ create \"same\" again, with a new UUID instead of ";
        assert_eq!(lines.iter().filter(|line| line.starts_with(again)).count(), 2, "{lines:?}");
        let killed = stage.killed_at(moment, async || back.apply(client, |_| {}).await).await;
        let again = back.roll_back(stage.tenant().await).unwrap();
        assert_eq!(again, back, "the way back goes on");
        again.apply(client, |_| {}).await.unwrap();
        assert_eq!(shape(&stage.tenant().await), start, "killed at {moment}");
        if !killed {
            break;
        }
    }
    stage.emulator.shutdown().await;
}

/// Somebody else assigns the old policy while the new one is put in place.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_after_a_change_by_others() {
    let stage = Stage::new().await;
    let client = &stage.client;
    stage.plan(&[file("a", "1", [None])]).await.apply(client, |_| {}).await.unwrap();
    let old = stage.tenant().await.policies[0].uuid.clone();
    let plan = stage.plan(&[file("a", "2", [None])]).await;
    let elsewhere = || {
        let target = Some(Target::Group(GROUPS[1].to_owned()).into());
        let assignment =
            PolicyAssignment { policy_uuid: old.clone(), target, ..Default::default() };
        let assigned = client.policy_assignments().assign_policy(assignment).into_future();
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(assigned))
    };
    let error = plan.apply(client, |step| {
        if matches!(step, Step::Create(_)) {
            elsewhere().unwrap();
        }
    });
    let error = error.await.unwrap_err();
    assert!(matches!(error, RolloutError::ChangedMeanwhile(_)), "{error}");
    let expected = format!("the policies on group {}; nothing was removed", GROUPS[1]);
    assert!(error.to_string().ends_with(&expected), "{error}");
    let tenant = stage.tenant().await;
    assert_eq!(tenant.policies.len(), 2);
    assert!(tenant.policies.iter().any(|policy| policy.uuid == old));
    stage.emulator.shutdown().await;
}

/// Two who carry out the same files at once may both create what is new, and nothing is removed.
#[tokio::test(flavor = "multi_thread")]
async fn success_is_reported_only_where_nobody_else_changed_anything() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let plan = stage.plan(&[file("a", "1", [None])]).await;
    let twin = || {
        let policy = Policy { display_name: "a".into(), ..Default::default() };
        let created = client.policies().create_policy(policy).into_future();
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(created))
    };
    let error = plan.apply(client, |step| {
        if matches!(step, Step::Assign { policy, .. } if policy == "a") {
            twin().unwrap();
        }
    });
    let error = error.await.unwrap_err();
    assert!(matches!(error, RolloutError::ChangedAfterwards(_)), "{error}");
    let expected = "the plan is carried out, but somebody else changed the tenant meanwhile: the new policy \"a\" ";
    assert!(error.to_string().starts_with(expected), "{error}");
    stage.emulator.shutdown().await;
}

/// What is named is what somebody else removed, not what the plan itself created.
#[tokio::test]
async fn what_is_missing_is_named() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let plan = stage.plan(&[file("a", "1", [None]), file("b", "1", [None])]).await;
    plan.apply(client, |_| {}).await.unwrap();
    let tenant = stage.tenant().await;
    let gone = tenant.policies.iter().find(|policy| policy.display_name == "a").unwrap();
    let on = tenant.assignments.iter().find(|on| on.policy_uuid == gone.uuid).unwrap();
    client.policy_assignments().unassign_policy(on.uuid.clone()).await.unwrap();
    let error = plan.apply(client, |_| {}).await.unwrap_err().to_string();
    let expected =
        format!("the tenant changed since the plan: the policies on group {}", GROUPS[0]);
    assert_eq!(error, expected);
    client.policies().delete_policy(gone.uuid.clone()).await.unwrap();
    let error = plan.apply(client, |_| {}).await.unwrap_err().to_string();
    let expected =
        "the tenant changed since the plan: the missing policy \"a\" that the plan created";
    assert_eq!(error, expected);
    stage.emulator.shutdown().await;
}
