//! Guarded creates against an emulator whose responses are lost.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use eset_protect::automation::v1::{Action, DeviceTask, ListTasksRequest, Trigger};
use eset_protect::emulator::{Fault, ManualClock};
use eset_protect::params::{OnDemandScan, on_demand_scan::ScanProfile};
use eset_protect::{Client, Error, Guarded, GuardedCreate, Wire};
use tonic::Code;

use crate::support::emulator_timer::EmulatorTimer;
use crate::support::scripted::{Scripted, json, pending};
use crate::waiting::{Fixture, builder, devices, over_both_wires, seconds, task};

fn guarded(fixture: &Fixture, task: DeviceTask) -> GuardedCreate {
    fixture.client.device_tasks().create_task_guarded(task)
}

fn scan() -> DeviceTask {
    let scan = OnDemandScan {
        scan_profile: Some(ScanProfile::Smart.into()),
        scan_targets: vec!["eset://AllTargets".to_owned()],
        cleaning_enabled: Some(false),
        ..Default::default()
    };
    let expires = "2030-01-02T03:04:05.000000001Z".parse().ok();
    DeviceTask {
        display_name: "Scan".to_owned(),
        description: "after the incident".to_owned(),
        action: Some(Action::on_demand_scan(scan)),
        targets: Some(devices(&["a", "b"])),
        triggers: vec![Trigger::manual(expires)],
        ..Default::default()
    }
}

/// Returns the UUIDs of all tasks.
async fn tasks(fixture: &Fixture) -> Vec<String> {
    let mut tasks = fixture.client.device_tasks().list_tasks(ListTasksRequest::default()).items();
    let mut uuids = Vec::new();
    while let Some(task) = tasks.next().await {
        uuids.push(task.unwrap().uuid);
    }
    uuids
}

/// Injects a fault into the next create.
fn fail(fixture: &Fixture, fault: Fault) {
    fixture.emulator.faults().push_for("CreateTask", fault);
}

/// Returns the number of creates and lists received.
fn calls(fixture: &Fixture) -> (usize, usize) {
    (fixture.calls("CreateTask"), fixture.calls("ListTasks"))
}

#[tokio::test]
async fn a_create_that_goes_well_is_one_call() {
    over_both_wires(builder, async |fixture| {
        let created = guarded(&fixture, scan()).await.unwrap();
        assert!(matches!(created, Guarded::Created(_)) && !created.is_found());
        assert_eq!(calls(&fixture), (1, 0));
        assert!(fixture.timer.take_sleeps().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_found_and_nothing_is_created_twice() {
    for fault in [
        Fault::break_before_headers().after_the_call(),
        Fault::break_after_headers(),
        Fault::break_mid_body(),
        Fault::code(Code::Unavailable).after_the_call(),
        Fault::code(Code::Internal).after_the_call(),
        Fault::http(http::StatusCode::BAD_GATEWAY, "text/html", "<html>").after_the_call(),
    ] {
        over_both_wires(builder, async |fixture| {
            fail(&fixture, fault.clone());
            let created = guarded(&fixture, scan()).await.unwrap();
            assert!(created.is_found(), "{fault:?}: {created:?}");
            let found = created.into_task();
            assert_eq!(tasks(&fixture).await, [found.uuid], "{fault:?}");
            assert_eq!(fixture.calls("CreateTask"), 1, "{fault:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_did_not_run_is_created_again_after_a_look() {
    over_both_wires(builder, async |fixture| {
        fail(&fixture, Fault::code(Code::Unavailable));
        fail(&fixture, Fault::break_before_headers());
        let created = guarded(&fixture, scan()).await.unwrap();
        assert!(!created.is_found());
        assert_eq!(tasks(&fixture).await.len(), 1);
        // One look after the first, and looks for half a minute after the second.
        assert_eq!(calls(&fixture), (3, 6), "the test itself listed once");
        assert_eq!(fixture.timer.take_sleeps(), [1, 2, 4, 8, 16].map(seconds));
    })
    .await;
}

/// The command's timeout is as long as the look after a broken connection.
#[tokio::test]
async fn it_has_the_time_to_look_and_to_create_again_whatever_a_call_has() {
    for timeout in [5, 30, 150].map(seconds) {
        over_both_wires(builder, async |fixture| {
            let client = Client::builder(&fixture.emulator.endpoint()).wire(fixture.wire);
            let client = client.timer(fixture.timer.clone()).timeout(timeout).connect().await;
            for _ in 0..2 {
                fail(&fixture, Fault::break_before_headers());
            }
            let created = client.unwrap().device_tasks().create_task_guarded(scan()).await;
            assert!(!created.unwrap().is_found());
            assert_eq!(tasks(&fixture).await.len(), 1);
            assert_eq!(fixture.calls("CreateTask"), 3);
            assert!(fixture.timer.passed() <= timeout + seconds(120));
        })
        .await;
    }
    // With less time there is no second create.
    over_both_wires(builder, async |fixture| {
        fail(&fixture, Fault::break_before_headers());
        let error = guarded(&fixture, scan()).timeout(seconds(30)).await.unwrap_err();
        assert!(error.may_have_executed(), "{error}");
        assert_eq!(fixture.calls("CreateTask"), 1);
        assert!(fixture.timer.passed() <= seconds(30));
    })
    .await;
}

#[tokio::test]
async fn attempts_end() {
    over_both_wires(builder, async |fixture| {
        for _ in 0..9 {
            fail(&fixture, Fault::code(Code::Unavailable));
        }
        let error = guarded(&fixture, scan()).await.unwrap_err();
        assert!(error.is_unavailable() && error.may_have_executed(), "{error}");
        assert!(error.message().ends_with("; a look at all tasks did not find it"), "{error}");
        assert_eq!(calls(&fixture), (3, 3));
        let error = guarded(&fixture, scan()).max_attempts(0).await.unwrap_err();
        assert!(error.is_unavailable());
        assert_eq!(calls(&fixture), (4, 4));
    })
    .await;
}

#[tokio::test]
async fn a_look_that_fails_creates_nothing() {
    over_both_wires(builder, async |fixture| {
        fail(&fixture, Fault::code(Code::Unavailable));
        fixture.emulator.faults().push_for("ListTasks", Fault::code(Code::PermissionDenied));
        let error = guarded(&fixture, scan()).await.unwrap_err();
        assert!(error.is_unavailable() && error.may_have_executed(), "the create's own");
        assert_eq!(error.rpc().unwrap().method, "CreateTask");
        let expected = "; looking for the task failed too: ListTasks: PERMISSION_DENIED: ";
        assert!(error.message().contains(expected), "{error}");
        assert_eq!(calls(&fixture), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_not_looked_for() {
    over_both_wires(builder, async |fixture| {
        let wrong = DeviceTask { triggers: vec![], ..scan() };
        let error = guarded(&fixture, wrong).await.unwrap_err();
        assert!(error.is_invalid_argument() && !error.may_have_executed());
        assert_eq!(calls(&fixture), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn similar_tasks_are_not_taken() {
    let other = |change: fn(&mut DeviceTask)| {
        let mut task = scan();
        change(&mut task);
        task
    };
    let similar = || {
        [
            other(|task| task.display_name.push('s')),
            other(|task| task.description.clear()),
            other(|task| task.targets = Some(devices(&["a", "c"]))),
            other(|task| task.targets = Some(devices(&["a"]))),
            other(|task| task.triggers = vec![Trigger::manual(None)]),
            other(|task| {
                task.triggers = vec![Trigger::manual("2031-01-01T00:00:00Z".parse().ok())];
            }),
            other(|task| task.action = Some(Action::new("OnDemandScan"))),
            other(|task| task.action.as_mut().unwrap().name = "Scan".to_owned()),
            other(|task| task.asset_group_uuid = "another".to_owned()),
            other(|task| {
                task.action = Some(Action::on_demand_scan(OnDemandScan {
                    cleaning_enabled: Some(true),
                    ..Default::default()
                }));
            }),
        ]
    };
    over_both_wires(builder, async |fixture| {
        for task in similar() {
            fixture.create(task).await;
        }
        fail(&fixture, Fault::code(Code::Unavailable));
        let wanted = DeviceTask { asset_group_uuid: "ours".to_owned(), ..scan() };
        let created = guarded(&fixture, wanted).await.unwrap();
        assert!(!created.is_found(), "{created:?}");
        assert_eq!(tasks(&fixture).await.len(), similar().len() + 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_service_writes_anew_is_the_same() {
    over_both_wires(builder, async |fixture| {
        let mut found = scan();
        // The same targets in another order, and params with one default less and one list more.
        found.targets = Some(devices(&["b", "a", "b"]));
        let params = r#"{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan",
            "scanTargets":["eset://AllTargets"],"powerActions":{},"scanProfile":"Smart"}"#;
        found.action.as_mut().unwrap().params = Some(serde_json::from_str(params).unwrap());
        found.triggers = vec![Trigger::manual("2030-01-02T03:04:05Z".parse().ok())];
        let uuid = fixture.create(found).await;
        fail(&fixture, Fault::code(Code::Unavailable));
        let created = guarded(&fixture, scan()).await.unwrap();
        assert!(created.is_found());
        assert_eq!(created.task().uuid, uuid);
    })
    .await;
}

#[tokio::test]
async fn params_that_nobody_here_knows_are_compared_too() {
    let of = |json: &str| {
        let params = serde_json::from_str(json).unwrap();
        let action = Some(Action { name: "Newer".to_owned(), params: Some(params) });
        DeviceTask { action, ..task(devices(&["a"])) }
    };
    over_both_wires(builder, async |fixture| {
        let found = r#"{"@type":"type.googleapis.com/a.v1.Newer","x":[1,2],"y":0}"#;
        fixture.create(of(found)).await;
        fail(&fixture, Fault::code(Code::Unavailable));
        let same = of(r#"{"@type":"type.googleapis.com/a.v1.Newer","z":null,"x":[1,2]}"#);
        assert!(guarded(&fixture, same).await.unwrap().is_found());
        for other in [
            r#"{"@type":"type.googleapis.com/a.v1.Newer","x":[2,1]}"#,
            r#"{"@type":"type.googleapis.com/a.v2.Newer","x":[1,2]}"#,
        ] {
            fail(&fixture, Fault::code(Code::Unavailable));
            assert!(!guarded(&fixture, of(other)).await.unwrap().is_found(), "{other}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_task_of_before_is_not_ours() {
    over_both_wires(builder, async |fixture| {
        let old = fixture.create(scan()).await;
        fixture.timer.advance(seconds(301));
        fail(&fixture, Fault::code(Code::Unavailable));
        let created = guarded(&fixture, scan()).await.unwrap();
        assert!(!created.is_found(), "the old one is over five minutes old");
        let young = created.into_task().uuid;

        // Within these minutes it is impossible to tell, unless it looked first.
        fail(&fixture, Fault::code(Code::Unavailable));
        let taken = guarded(&fixture, scan()).await.unwrap();
        assert!(taken.is_found());
        assert_eq!(taken.task().uuid, young, "the youngest");
        fail(&fixture, Fault::code(Code::Unavailable));
        let created = guarded(&fixture, scan()).looks_first().await.unwrap();
        assert!(!created.is_found());
        fail(&fixture, Fault::break_before_headers().after_the_call());
        let found = guarded(&fixture, scan()).looks_first().await.unwrap();
        assert!(found.is_found());
        let uuid = &found.task().uuid;
        assert!(![&old, &young].contains(&uuid));
        assert_eq!(tasks(&fixture).await.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn clocks_may_differ() {
    over_both_wires(builder, async |fixture| {
        // The service's clock is slow.
        fixture.timer.shift(seconds(200));
        fail(&fixture, Fault::break_before_headers().after_the_call());
        assert!(guarded(&fixture, scan()).await.unwrap().is_found());
        fail(&fixture, Fault::break_before_headers().after_the_call());
        let strict =
            guarded(&fixture, task(devices(&["a"]))).clock_skew(seconds(100)).max_attempts(1);
        let error = strict.await.unwrap_err();
        assert!(error.message().ends_with("did not find it"), "{error}");
    })
    .await;
}

/// The response does not arrive; a task that is being created is looked for and not created again.
#[tokio::test]
async fn an_attempt_that_takes_too_long_is_looked_for_only() {
    async fn late(fixture: &Fixture, runs: bool) -> Result<Guarded, Error> {
        let (fault, mut held) = Fault::hold();
        fail(fixture, fault);
        let create = guarded(fixture, scan()).timeout(seconds(20)).into_future();
        let move_on = async {
            held.arrived(1).await;
            if runs {
                fixture.create(scan()).await;
            }
            // An attempt gets half the time.
            fixture.timer.advance(seconds(10));
        };
        tokio::join!(create, move_on).0
    }
    over_both_wires(builder, async |fixture| {
        let error = late(&fixture, false).await.unwrap_err();
        assert!(error.is_deadline_exceeded() && error.may_have_executed());
        assert!(error.message().ends_with("as long as there was time to look"), "{error}");
        assert_eq!(fixture.calls("CreateTask"), 1, "not again");
        assert_eq!(fixture.timer.take_sleeps(), [seconds(1), seconds(2), seconds(4)]);
    })
    .await;
    over_both_wires(builder, async |fixture| {
        assert!(late(&fixture, true).await.unwrap().is_found());
        assert_eq!(calls(&fixture), (2, 1), "one create is that of the test");
    })
    .await;
}

/// 504: the service gave up waiting for a call that may still be running.
#[tokio::test]
async fn what_is_late_at_the_service_is_looked_for_only() {
    over_both_wires(builder, async |fixture| {
        fail(&fixture, Fault::code(Code::DeadlineExceeded));
        let error = guarded(&fixture, scan()).timeout(seconds(9)).await.unwrap_err();
        assert!(error.is_deadline_exceeded() && error.may_have_executed());
        assert_eq!(calls(&fixture), (1, 3));
        fail(&fixture, Fault::code(Code::DeadlineExceeded).after_the_call());
        assert!(guarded(&fixture, scan()).await.unwrap().is_found());
    })
    .await;
}

/// The service works on a call that it has accepted, however its response is lost.
#[tokio::test]
async fn a_pending_create_whose_answer_cannot_be_had_is_not_sent_again() {
    let unavailable = || json("503 Service Unavailable", "");
    let script = [pending("one")].into_iter().chain((0..5).map(|_| unavailable()));
    let nothing = (0..100).map(|_| json("200 OK", "{}"));
    let server = Scripted::start(script.chain(nothing)).await;
    let client = Client::builder(&server.endpoint())
        .wire(Wire::Rest)
        .timer(EmulatorTimer::new(Arc::new(ManualClock::new(UNIX_EPOCH))))
        .connect_lazy()
        .unwrap();
    let error = client.device_tasks().create_task_guarded(scan()).await.unwrap_err();
    assert!(error.is_unavailable() && error.may_have_executed(), "{error}");
    let note = "; it was not found as long as there was time to look";
    assert!(error.message().ends_with(note), "{error}");
    let seen = server.seen();
    let creates: Vec<_> = seen.iter().filter(|seen| seen.line().starts_with("POST")).collect();
    let ids: Vec<_> = creates.iter().map(|create| create.header("response-id")).collect();
    assert_eq!(ids[..2], [None, Some("one")]);
    assert!(ids[1..].iter().all(|id| *id == Some("one")), "{ids:?}");
    assert!(seen.len() - creates.len() > 3, "it looked again and again");
}
