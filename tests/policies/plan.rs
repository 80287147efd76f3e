//! What a plan says before it is carried out, and the files that it refuses.

use std::collections::BTreeMap;

use eset_protect::policy::{FeatureFile, PolicyFile, Target};
use eset_protect::policy_management::v2::FeaturePolicy;
use eset_protect::rollout::{Change, Plan, PlanError, Tenant};

use crate::stage::{GROUPS, Stage, file};

/// What is moved, and nothing else, by ranks that can be compared.
#[tokio::test]
async fn a_plan_names_the_moves_that_are_made() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let files = ["a", "b", "c", "d"].map(|name| file(name, "1", [None]));
    stage.plan(&files).await.apply(client, |_| {}).await.unwrap();
    let ranked = |name: &str, rank| file(name, "1", [Some(rank)]);
    let group = GROUPS[0];
    let moved =
        |name, from, to| format!("~ move {name:?} on group {group} from rank {from} to {to}");
    for (files, expected) in [
        // What comes only shifts what follows.
        (vec![ranked("z", 2)], vec![format!("+ assign \"z\" to group {group} at rank 2")]),
        (vec![ranked("d", 1)], vec![moved("d", 4, 1)]),
        (
            vec![ranked("z", 1), ranked("d", 2)],
            vec![format!("+ assign \"z\" to group {group} at rank 1"), moved("d", 5, 2)],
        ),
        (vec![ranked("c", 1), ranked("b", 2)], vec![moved("c", 3, 1), moved("b", 3, 2)]),
        (vec![ranked("c", 3), ranked("d", 99)], vec![]),
    ] {
        let plan = Plan::new(stage.tenant().await, &files, false).unwrap();
        let lines = plan.changes().iter().filter(|it| !matches!(it, Change::Create { .. }));
        let lines: Vec<_> = lines.map(Change::to_string).collect();
        assert_eq!(lines, expected);
        assert_eq!(
            plan.count_on(&Target::Group(group.to_uppercase())),
            4 + usize::from(files[0].name == "z")
        );
    }
    // The moves are those of the calls.
    let files = [ranked("c", 1), ranked("b", 2)];
    let plan = Plan::new(stage.tenant().await, &files, false).unwrap();
    let mut steps = Vec::new();
    plan.apply(client, |step| steps.push(format!("~ {step}"))).await.unwrap();
    assert_eq!(steps, plan.changes().iter().map(Change::to_string).collect::<Vec<_>>());
    stage.emulator.shutdown().await;
}

/// UUIDs are the same in upper case; what is no UUID is refused.
#[tokio::test]
async fn targets_are_compared_without_regard_to_case() {
    let stage = Stage::new().await;
    let mut files = [file("a", "1", [None])];
    stage.plan(&files).await.apply(&stage.client, |_| {}).await.unwrap();
    files[0].assignments[0].target = Target::Group(GROUPS[0].to_uppercase());
    assert!(stage.plan(&files).await.is_empty());
    files[0].assignments[0].target = Target::Group("foo".to_owned());
    let error = Plan::new(stage.tenant().await, &files, false).unwrap_err().to_string();
    assert_eq!(error, "\"a\": assignments[0].group: expected a UUID, found \"foo\"");
    stage.emulator.shutdown().await;
}

#[test]
fn files_that_contradict_are_refused() {
    let plan = |files: &[PolicyFile]| Plan::new(Tenant::default(), files, false).unwrap_err();
    let same = [file("a", "1", [None]), file("a", "2", [None])];
    assert!(matches!(plan(&same), PlanError::SameName(name) if name == "a"));
    let ranks = [file("a", "1", [Some(1)]), file("b", "1", [Some(1)])];
    assert!(matches!(plan(&ranks), PlanError::SameRank(_, 1, [a, b]) if a == "a" && b == "b"));
    let mut twice = file("a", "1", [None]);
    twice.assignments.push(twice.assignments[0].clone());
    assert!(matches!(plan(&[twice]), PlanError::SameTarget(..)));
    let mut wrong = file("a", "1", [None]);
    let mut feature = FeatureFile::new(FeaturePolicy::LEGACY_FEATURE_ID);
    feature.settings = Some(BTreeMap::new());
    wrong.features.push(feature);
    assert!(matches!(plan(&[wrong]), PlanError::File(..)));
}
