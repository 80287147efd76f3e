//! Services with responses unlike the emulator's: newer or older than this crate.

use std::sync::Arc;

use eset_protect::emulator::ManualClock;
use eset_protect::{Client, Wire};

use crate::support::emulator_timer::EmulatorTimer;
use crate::support::scripted::{Answer, Scripted, json, ok};
use crate::waiting::{described, devices, seconds, task};

async fn start(script: impl IntoIterator<Item = Answer>) -> (Scripted, Client, EmulatorTimer) {
    let server = Scripted::start(script).await;
    let timer = EmulatorTimer::new(Arc::new(ManualClock::default()));
    let builder = Client::builder(&server.endpoint()).wire(Wire::Rest).timer(timer.clone());
    (server, builder.connect().await.unwrap(), timer)
}

const TASK: &str = r#"{"task":{"uuid":"t","targets":{"devicesUuids":["a","b"]},"triggers":[{}]}}"#;

fn runs(of_a: &str, of_b: &str) -> Answer {
    ok(&format!(
        r#"{{"taskRuns":[{{"deviceUuid":"a","status":"TASK_RUN_STATUS_{of_a}","startTime":"2030-01-01T00:00:00Z"}},{{"deviceUuid":"b","status":"TASK_RUN_STATUS_{of_b}"}}]}}"#
    ))
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_no_end() {
    let script = [
        ok(TASK),
        runs("FINISHED", "HIBERNATED"),
        runs("FINISHED", "UNSPECIFIED"),
        runs("FINISHED", "FINISHED"),
    ];
    let (server, client, _) = start(script).await;
    let mut watch = client.device_tasks().watch_task("t");
    let mut said = Vec::new();
    while let Some(progress) = watch.next().await {
        said.push(described(&progress.unwrap()));
    }
    let other = "1 finished, 1 other";
    assert_eq!(said, [other, other, "2 finished, complete"]);
    let lines: Vec<_> = server.seen().iter().map(|seen| seen.line().to_owned()).collect();
    assert_eq!(lines[0], "GET /v1/device_tasks/t");
    assert!(lines[1].starts_with("GET /v1/device_tasks/t/runs?listOnlyLastRuns=true"), "{lines:?}");
    assert_eq!(lines.len(), 4);
}

/// A service that ignores `listOnlyLastRuns`, or a list that changes while it is read.
#[tokio::test]
async fn of_several_runs_on_a_device_the_last_counts() {
    let run = |uuid: &str, start: &str, status: &str| {
        format!(
            r#"{{"uuid":"{uuid}","deviceUuid":"a","startTime":"{start}","status":"TASK_RUN_STATUS_{status}"}}"#
        )
    };
    let first = run("1", "2030-01-01T00:00:00Z", "FAILED");
    let second = run("2", "2030-01-02T00:00:00Z", "FINISHED");
    for order in [[&first, &second], [&second, &first]] {
        let task = r#"{"task":{"uuid":"t","targets":{"devicesUuids":["a"]}}}"#;
        let runs = format!(r#"{{"taskRuns":[{},{}]}}"#, order[0], order[1]);
        let (_server, client, _) = start([ok(task), ok(&runs)]).await;
        let last = client.device_tasks().watch_task("t").finish().await.unwrap();
        assert_eq!(last.run("a").unwrap().uuid, "2");
        assert!(last.is_success());
    }
}

/// Returns the list of a service that reports no times.
fn list(uuid: &str, name: &str) -> Answer {
    ok(&format!(
        r#"{{"tasks":[{{"uuid":"{uuid}","displayName":"{name}","action":{{"name":"StartNetworkIsolation"}},"targets":{{"devicesUuids":["a"]}},"triggers":[{{"manual":{{}}}}]}}]}}"#
    ))
}

#[tokio::test]
async fn without_a_creation_time_nobody_can_tell() {
    let unavailable = || json("503 Service Unavailable", "");
    let (server, client, _) = start([unavailable(), list("t-9", "Isolate")]).await;
    let create = client.device_tasks().create_task_guarded(task(devices(&["a"])));
    let error = create.max_attempts(3).await.unwrap_err();
    assert!(error.is_unavailable() && error.may_have_executed());
    let expected =
        "; there is a task \"t-9\" that is the same, and nothing says when it was created";
    assert!(error.message().ends_with(expected), "{error}");
    let creates = server.seen().iter().filter(|seen| seen.line().starts_with("POST ")).count();
    assert_eq!(creates, 1);

    // A guard that looked first can tell.
    let script = [list("t-8", "Isolate"), unavailable(), list("t-9", "Isolate")];
    let (_server, client, timer) = start(script).await;
    let create = client.device_tasks().create_task_guarded(task(devices(&["a"])));
    let found = create.pause(seconds(7)).looks_first().await.unwrap();
    assert_eq!(found.task().uuid, "t-9");
    assert_eq!(timer.take_sleeps(), [seconds(7)]);
}

/// A service that responds to a create without the created task, or does not implement it: the guard looks
/// once and sends no other.
#[tokio::test]
async fn a_create_that_is_answered_without_the_task_is_looked_for() {
    let script = [ok(r#"{"tasks":[]}"#), ok("{}"), list("t-9", "Isolate")];
    let (_server, client, _) = start(script).await;
    let create = client.device_tasks().create_task_guarded(task(devices(&["a"])));
    assert_eq!(create.looks_first().await.unwrap().task().uuid, "t-9");

    let (server, client, _) = start([ok("{}"), list("t-9", "Other")]).await;
    let create = client.device_tasks().create_task_guarded(task(devices(&["a"])));
    let error = create.max_attempts(3).await.unwrap_err();
    let expected = "the response has no `task`; a look at all tasks did not find it";
    assert_eq!(error.message(), expected);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_first_look_that_fails_creates_nothing() {
    let (server, client, _) = start([json("403 Forbidden", "")]).await;
    let create = client.device_tasks().create_task_guarded(task(devices(&["a"])));
    let error = create.looks_first().await.unwrap_err();
    assert!(error.is_permission_denied() && !error.may_have_executed());
    assert_eq!(server.seen().len(), 1);
}
