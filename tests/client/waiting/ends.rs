//! When a watch ends: groups, expired triggers, deleted tasks, tasks that are triggered again.

use std::time::Duration;

use eset_protect::automation::v1::{
    DeviceTask, DeviceTaskTargets, Trigger, UpdateTaskTargetsRequest, UpdateTaskTriggersRequest,
};
use eset_protect::emulator::{Builder, Device};

use crate::waiting::{BEGIN, Fixture, builder, devices, over_both_wires, seconds, task};

fn group(members: impl IntoIterator<Item = Device>) -> Builder {
    members.into_iter().fold(builder(), |builder, device| builder.device(device.in_group("g")))
}

fn late(uuid: &str, after: u64) -> Device {
    Device::new(uuid).off_until(std::time::UNIX_EPOCH + BEGIN + seconds(after))
}

#[tokio::test]
async fn a_group_is_done_when_nothing_new_comes() {
    // The late device returns 30 seconds after the first has ended: within the settling time.
    let members = || group([Device::new("a"), late("b", 100)]);
    over_both_wires(members, async |fixture| {
        let uuid = fixture.create(task(DeviceTaskTargets::groups(["g"]))).await;
        let seen = fixture.seen(fixture.watch(&uuid)).await;
        assert_eq!(
            seen,
            [
                "0ns: 1 queued",
                "16.25s: 1 running",
                "80.59375s: 1 finished",
                "106.96875s: 1 queued, 1 finished",
                "111.96875s: 1 running, 1 finished",
                "176.3125s: 2 finished",
                "240.65625s: 2 finished, complete",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_device_of_a_group_that_comes_later_than_that_is_missed() {
    let members = || group([Device::new("a"), late("b", 100)]);
    over_both_wires(members, async |fixture| {
        let uuid = fixture.create(task(DeviceTaskTargets::groups(["g"]))).await;
        let watch = fixture.watch(&uuid).settling_time(seconds(10));
        let last = watch.finish().await.unwrap();
        assert_eq!((last.counts().finished, last.is_success()), (1, true));
        assert!(fixture.timer.passed() < seconds(100));
        // If the device is named, the watch waits for it.
        let mut targets = DeviceTaskTargets::groups(["g"]);
        targets.devices_uuids.push("b".to_owned());
        let uuid = fixture.create(task(targets)).await;
        let watch = fixture.watch(&uuid).settling_time(seconds(10));
        let last = watch.finish().await.unwrap();
        assert_eq!((last.counts().finished, last.is_success()), (2, true));
    })
    .await;
}

#[tokio::test]
async fn a_group_that_ended_long_ago_is_done_at_once() {
    over_both_wires(
        || group([Device::new("a")]),
        async |fixture| {
            let uuid = fixture.create(task(DeviceTaskTargets::groups(["g"]))).await;
            fixture.watch(&uuid).finish().await.unwrap();
            let soon = fixture.seen(fixture.watch(&uuid)).await;
            assert_eq!(soon.len(), 2, "less than the settling time and the margin: {soon:?}");
            fixture.clock.advance(seconds(600));
            let later = fixture.seen(fixture.watch(&uuid)).await;
            assert_eq!(later.len(), 1, "{later:?}");
            assert!(later[0].ends_with("1 finished, complete"), "{later:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn a_group_whose_settling_takes_too_long_says_so() {
    over_both_wires(
        || group([Device::new("a")]),
        async |fixture| {
            let uuid = fixture.create(task(DeviceTaskTargets::groups(["g"]))).await;
            let error = fixture.watch(&uuid).timeout(seconds(90)).finish().await.unwrap_err();
            let expected = "the task is not done within 90s: other devices of its groups may start";
            assert_eq!(error.message(), expected);
        },
    )
    .await;
}

#[tokio::test]
async fn a_group_in_which_nobody_starts_is_done_when_the_trigger_expires() {
    over_both_wires(
        || group([Device::new("off").off()]),
        async |fixture| {
            let targets = DeviceTaskTargets::groups(["g"]);
            let uuid = fixture.create(expiring(&fixture, targets, 600)).await;
            let last = fixture.watch(&uuid).finish().await.unwrap();
            assert!(last.is_complete() && !last.is_success(), "nothing ran");
            assert_eq!(last.counts().total(), 0);
            assert!(fixture.timer.passed() > seconds(900), "the expiry and the margin");
        },
    )
    .await;
}

fn expiring(fixture: &Fixture, targets: DeviceTaskTargets, after: u64) -> DeviceTask {
    let expires = fixture.now() + seconds(after);
    DeviceTask { triggers: vec![Trigger::manual(Some(expires.into()))], ..task(targets) }
}

#[tokio::test]
async fn a_device_that_is_off_is_not_waited_for_behind_the_expiry() {
    over_both_wires(
        || builder().device(Device::new("off").off()),
        async |fixture| {
            let uuid = fixture.create(expiring(&fixture, devices(&["a", "off"]), 600)).await;
            let watch = fixture.watch(&uuid).expiry_margin(seconds(60));
            let seen = fixture.seen(watch).await;
            assert_eq!(
                seen,
                [
                    "0ns: 1 not started, 1 queued",
                    "16.25s: 1 not started, 1 running",
                    "80.59375s: 1 not started, 1 finished",
                    "684.9375s: 1 finished, 1 expired, complete",
                ]
            );
            let last = fixture.watch(&uuid).expiry_margin(seconds(60)).finish().await.unwrap();
            assert_eq!(last.expired(), ["off"]);
            assert!(!last.is_success());
            assert!(last.not_started().is_empty());
        },
    )
    .await;
}

#[tokio::test]
async fn a_deleted_task_is_watched_to_the_end_of_its_runs() {
    over_both_wires(
        || builder().device(Device::new("off").off()),
        async |fixture| {
            let uuid = fixture.create(task(devices(&["a", "off"]))).await;
            let mut watch = fixture.watch(&uuid);
            let first = watch.next().await.unwrap().unwrap();
            assert_eq!(first.not_started(), ["off"]);
            fixture.client.device_tasks().delete_task(&*uuid).await.unwrap();
            let last = watch.finish().await.unwrap();
            assert_eq!(last.expired(), ["off"], "the service starts no more");
            assert_eq!(last.counts().finished, 1);
            assert!(fixture.timer.passed() < seconds(200));

            // A later watch sees the existing runs.
            let last = fixture.watch(&uuid).finish().await.unwrap();
            assert_eq!((last.counts().total(), last.is_success()), (1, true));
        },
    )
    .await;
}

#[tokio::test]
async fn a_task_that_never_was_is_an_error() {
    over_both_wires(builder, async |fixture| {
        let mut watch = fixture.watch("nothing");
        let error = watch.next().await.unwrap().unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert_eq!(error.rpc().unwrap().method, "ListTaskRuns");
        assert!(watch.next().await.is_none());
        assert!(fixture.timer.take_sleeps().is_empty(), "no second try");
    })
    .await;
}

#[tokio::test]
async fn runs_of_an_earlier_trigger_do_not_count() {
    let late = || builder().device(late("late", 300));
    over_both_wires(late, async |fixture| {
        let uuid = fixture.create(task(devices(&["a", "late"]))).await;
        fixture.timer.advance(seconds(200));
        let again = UpdateTaskTriggersRequest {
            task_uuid: uuid.clone(),
            triggers: vec![Trigger::manual(None)],
        };
        fixture.client.device_tasks().update_task_triggers(again).await.unwrap();
        fixture.timer.take_sleeps();
        let seen = fixture.seen(fixture.watch(&uuid)).await;
        assert_eq!(
            seen,
            [
                "200s: 1 not started, 1 queued",
                "216.25s: 1 not started, 1 running",
                "280.59375s: 1 not started, 1 finished",
                "306.96875s: 1 queued, 1 finished",
                "311.96875s: 1 running, 1 finished",
                "376.3125s: 2 finished, complete",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn new_targets_are_noticed() {
    over_both_wires(
        || builder().device(Device::new("off").off()),
        async |fixture| {
            let uuid = fixture.create(task(devices(&["a", "off"]))).await;
            let mut watch = fixture.watch(&uuid);
            watch.next().await.unwrap().unwrap();
            let targets = UpdateTaskTargetsRequest {
                task_uuid: uuid.clone(),
                targets: Some(devices(&["b"])),
            };
            fixture.client.device_tasks().update_task_targets(targets).await.unwrap();
            let last = watch.finish().await.unwrap();
            // The watch no longer waits for `off`, and does not ask what `a` did.
            let devices: Vec<_> = last.runs().map(|run| &*run.device_uuid).collect();
            assert_eq!(devices, ["b"]);
            assert!(last.is_success());
        },
    )
    .await;
}

#[tokio::test]
async fn a_task_without_targets_is_done_and_no_success() {
    over_both_wires(builder, async |fixture| {
        let uuid = fixture.create(task(DeviceTaskTargets::default())).await;
        let last = fixture.watch(&uuid).settling_time(Duration::ZERO).finish().await.unwrap();
        assert_eq!(last.counts().total(), 0);
        assert!(!last.is_success());
    })
    .await;
}
