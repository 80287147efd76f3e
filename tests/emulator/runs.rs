//! Runs progress with the clock.

use std::time::{Duration, UNIX_EPOCH};

use eset_protect::automation::v1::{
    DeleteTaskRequest, DeviceTask, DeviceTaskTargets, ListTaskRunsRequest, TaskRunStatus,
    UpdateTaskTargetsRequest, UpdateTaskTriggersRequest,
};
use eset_protect::emulator::{Device, Outcome, Pace};
use tonic::Code;

use TaskRunStatus::{Failed, Finished, Queued, Running, Suppressed};

use crate::fixture::*;

const PACE: Pace = Pace::new(Duration::from_secs(10), Duration::from_secs(60));

#[tokio::test]
async fn a_run_is_queued_then_running_then_finished_or_failed() {
    let mut fixture =
        fixture_with(|builder| builder.pace(PACE).device(Device::new("bad").failing())).await;
    let task = fixture.create(task("a", &["good", "bad"])).await;
    let start = fixture.now();
    for (advance, expected) in [
        (0, [Queued, Queued]),
        (9, [Queued, Queued]),
        (1, [Running, Running]),
        (59, [Running, Running]),
        (1, [Failed, Finished]),
        (1_000_000, [Failed, Finished]),
    ] {
        fixture.clock.advance(Duration::from_secs(advance));
        let runs = fixture.runs(&task.uuid).await;
        assert_eq!(runs.iter().map(|run| run.status()).collect::<Vec<_>>(), expected);
        for run in runs {
            assert_eq!((run.start_time, &run.task_uuid), (Some(start), &task.uuid));
            let ended = matches!(run.status(), Finished | Failed);
            let end = (UNIX_EPOCH + START + Duration::from_secs(70)).into();
            assert_eq!(run.end_time, ended.then_some(end));
            assert!(run.result.is_none() && !run.uuid.is_empty());
        }
    }
}

#[tokio::test]
async fn groups_stand_for_their_devices_and_each_device_runs_once() {
    let mut fixture = fixture_with(|builder| {
        ["a", "b"]
            .into_iter()
            .fold(builder, |builder, uuid| builder.device(Device::new(uuid).in_group("g")))
    })
    .await;
    let mut targeted = task("t", &["a", "c", "c"]);
    targeted.targets.as_mut().unwrap().device_groups_uuids = vec!["g".into(), "nobody".into()];
    let made = fixture.create(targeted).await;
    assert_eq!(devices(&mut fixture, &made).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_device_that_is_off_runs_when_it_comes_back_before_the_expiry_and_else_never() {
    let start = UNIX_EPOCH + START;
    let back = start + Duration::from_secs(3600);
    let mut fixture = fixture_with(|builder| {
        builder.device(Device::new("late").off_until(back)).device(Device::new("gone").off())
    })
    .await;
    let mut in_time = task("in time", &["late", "gone"]);
    in_time.triggers = vec![manual(Some(back))];
    let in_time = fixture.create(in_time).await;
    let mut missed = task("missed", &["late", "gone"]);
    missed.triggers = vec![manual(Some(back - Duration::from_secs(1)))];
    let missed = fixture.create(missed).await;
    let mut expired = task("expired", &["on"]);
    expired.triggers = vec![manual(Some(start - Duration::from_secs(1)))];
    let expired = fixture.create(expired).await;

    assert!(fixture.runs(&in_time.uuid).await.is_empty());
    fixture.clock.set(back);
    let runs = fixture.runs(&in_time.uuid).await;
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].start_time, runs[0].status()), (Some(back.into()), Queued));
    fixture.clock.advance(Duration::from_secs(1_000_000));
    assert_eq!(fixture.statuses(&in_time.uuid).await, [Finished]);
    assert!(fixture.runs(&missed.uuid).await.is_empty());
    assert!(fixture.runs(&expired.uuid).await.is_empty());
}

#[tokio::test]
async fn an_outcome_rule_decides_and_its_answer_stays() {
    let mut fixture = fixture_with(|builder| {
        builder.device(Device::new("a").failing()).outcome(|task, device| {
            match (task.display_name.as_str(), device) {
                ("bad", "b") => Outcome::Failed,
                ("bad", "c") => Outcome::Suppressed,
                _ => Outcome::Finished,
            }
        })
    })
    .await;
    let made = fixture.create(task("bad", &["a", "b", "c"])).await;
    assert_eq!(fixture.statuses(&made.uuid).await, [Queued, Queued, Suppressed]);
    fixture.clock.advance(Duration::from_secs(3600));
    assert_eq!(fixture.statuses(&made.uuid).await, [Finished, Failed, Suppressed]);
    assert_eq!(fixture.runs(&made.uuid).await[2].end_time, None);
}

#[tokio::test]
async fn runs_survive_their_task_and_what_has_not_started_does_not() {
    let back = UNIX_EPOCH + START + Duration::from_secs(3600);
    let mut fixture =
        fixture_with(|builder| builder.device(Device::new("late").off_until(back))).await;
    let made = fixture.create(task("a", &["late", "on"])).await;
    let request = DeleteTaskRequest { task_uuid: made.uuid.clone() };
    fixture.tasks.delete_task(request.clone()).await.unwrap();
    assert_eq!(code(fixture.tasks.delete_task(request).await), Code::NotFound);
    fixture.clock.set(back + Duration::from_secs(3600));
    assert_eq!(devices(&mut fixture, &made).await, ["on"]);
    assert_eq!(fixture.statuses(&made.uuid).await, [Finished]);
    let request = ListTaskRunsRequest { task_uuid: "never".into(), ..Default::default() };
    assert_eq!(code(fixture.tasks.list_task_runs(request).await), Code::NotFound);
}

#[tokio::test]
async fn new_triggers_run_again_and_the_filters_tell_runs_apart() {
    let mut fixture = fixture().await;
    let made = fixture.create(task("a", &["a", "b"])).await;
    let first: Vec<_> = fixture.runs(&made.uuid).await.into_iter().map(|run| run.uuid).collect();
    // Even at the same time, since start times distinguish runs.
    for _ in 0..2 {
        let request = UpdateTaskTriggersRequest {
            task_uuid: made.uuid.clone(),
            triggers: vec![manual(None), manual(None)],
        };
        fixture.tasks.update_task_triggers(request).await.unwrap();
    }
    fixture.clock.advance(Duration::from_secs(1));
    let runs = fixture.runs(&made.uuid).await;
    assert_eq!(runs.len(), 6);
    let identities: std::collections::BTreeSet<_> =
        runs.iter().map(|run| (&run.device_uuid, run.start_time)).collect();
    assert_eq!(identities.len(), 6);

    let mut filtered = async |device: &str, last: bool| {
        let request = ListTaskRunsRequest {
            task_uuid: made.uuid.clone(),
            device_uuid: device.into(),
            list_only_last_runs: last,
            ..Default::default()
        };
        fixture.tasks.list_task_runs(request).await.unwrap().into_inner().task_runs
    };
    assert_eq!(filtered("a", false).await.len(), 3);
    assert_eq!(filtered("c", false).await.len(), 0);
    let last = filtered("", true).await;
    assert_eq!(last, runs[4..]);
    assert_eq!(filtered("b", true).await, last[1..]);
    assert!(!first.contains(&last[0].uuid));
}

#[tokio::test]
async fn new_targets_run_while_the_trigger_is_open_and_old_ones_are_left_alone() {
    let back = UNIX_EPOCH + START + Duration::from_secs(3600);
    let mut fixture =
        fixture_with(|builder| builder.device(Device::new("late").off_until(back))).await;
    let made = fixture.create(task("t", &["a", "late"])).await;
    for _ in 0..2 {
        retarget(&mut fixture, &made, &["a", "b"]).await;
        assert_eq!(devices(&mut fixture, &made).await, ["a", "b"]);
    }
    fixture.clock.set(back);
    assert_eq!(devices(&mut fixture, &made).await, ["a", "b"], "`late` is no target any more");
    fixture.clock.advance(Duration::from_secs(31 * 86_400));
    retarget(&mut fixture, &made, &["c"]).await;
    assert_eq!(devices(&mut fixture, &made).await, ["a", "b"], "the trigger has expired");
}

async fn retarget(fixture: &mut Fixture, task: &DeviceTask, devices: &[&str]) {
    let targets = DeviceTaskTargets {
        devices_uuids: devices.iter().map(|&device| device.to_owned()).collect(),
        device_groups_uuids: Vec::new(),
    };
    let request = UpdateTaskTargetsRequest { task_uuid: task.uuid.clone(), targets: Some(targets) };
    fixture.tasks.update_task_targets(request).await.unwrap();
}

async fn devices(fixture: &mut Fixture, task: &DeviceTask) -> Vec<String> {
    fixture.runs(&task.uuid).await.into_iter().map(|run| run.device_uuid).collect()
}

/// ESET's set of actions is open, so the call succeeds; but no device can run it.
#[tokio::test]
async fn what_no_device_understands_fails() {
    use eset_protect::automation::v1::Action;
    use eset_protect::params::{OnDemandScan, RunCommand};
    use eset_protect::wkt::Any;

    let any = |json: &str| Some(serde_json::from_str::<Any>(json).unwrap());
    let scan = "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan";
    let unknown_scan = OnDemandScan { scan_profile: Some(77), ..Default::default() };
    let actions = [
        ("OnDemandScn", None, Failed),
        ("Shutdown computer", None, Failed),
        ("OnDemandScan", Some(Any::pack(&RunCommand::new("dir"))), Failed),
        ("StopManaging", Some(Any::pack(&RunCommand::new("dir"))), Failed),
        ("OnDemandScan", any(r#"{"@type":"type.googleapis.com/eset.v9.Newer"}"#), Failed),
        ("OnDemandScan", Some(Any::pack(&unknown_scan)), Failed),
        ("OnDemandScan", any(&format!(r#"{{"@type":"{scan}","scanProfile":"InDepht"}}"#)), Failed),
        // Members that ESET adds are ignored by older clients.
        ("OnDemandScan", any(&format!(r#"{{"@type":"{scan}","budget":1}}"#)), Finished),
        ("OnDemandScan", None, Finished),
    ];
    let mut fixture = fixture_with(|builder| builder.pace(PACE)).await;
    let mut made = Vec::new();
    for (name, params, outcome) in actions.clone() {
        let action = Action { name: name.to_owned(), params };
        let task = DeviceTask { action: Some(action), ..task("t", &["d"]) };
        made.push((fixture.create(task).await, outcome));
    }
    fixture.clock.advance(Duration::from_secs(70));
    for (task, outcome) in made {
        assert_eq!(fixture.statuses(&task.uuid).await, [outcome], "{:?}", task.action);
    }

    // A custom rule decides.
    let mut fixture =
        fixture_with(|builder| builder.pace(PACE).outcome(|_, _| Outcome::Finished)).await;
    let action = Some(Action::new("Newer"));
    let task = fixture.create(DeviceTask { action, ..task("t", &["d"]) }).await;
    fixture.clock.advance(Duration::from_secs(70));
    assert_eq!(fixture.statuses(&task.uuid).await, [Finished]);
}

#[tokio::test]
async fn a_target_that_is_no_uuid_is_refused() {
    let mut fixture = fixture().await;
    let request = eset_protect::automation::v1::CreateTaskRequest {
        task: Some(task("t", &["a,b", "good", " c"])),
    };
    assert_eq!(
        wrong_fields(fixture.tasks.create_task(request).await),
        ["task.targets.devices_uuids[0]", "task.targets.devices_uuids[2]"]
    );
}
