//! The items of a watch while runs progress.

use eset_protect::emulator::{Device, Outcome};

use crate::waiting::{BEGIN, builder, devices, over_both_wires, seconds, task};

#[tokio::test]
async fn devices_end_in_all_ways() {
    let builder = || {
        let late = std::time::UNIX_EPOCH + BEGIN + seconds(50);
        builder().device(Device::new("late").off_until(late)).outcome(|_, device| match device {
            "bad" => Outcome::Failed,
            "quiet" => Outcome::Suppressed,
            _ => Outcome::Finished,
        })
    };
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["bad", "good", "late", "quiet"]))).await;
        let mut watch = world.watch(&uuid);

        let first = watch.next().await.unwrap().unwrap();
        assert_eq!(first.task_uuid(), uuid);
        assert_eq!(first.runs().len(), 3);
        assert_eq!(first.changed().count(), 3, "everything is new");
        assert_eq!(first.not_started(), ["late"]);
        assert!(!first.is_complete() && !first.is_success());

        let second = watch.next().await.unwrap().unwrap();
        let changed: Vec<_> = second.changed().map(|run| &*run.device_uuid).collect();
        assert_eq!(changed, ["bad", "good"], "the suppressed one had ended");
        assert!(first.run("good").unwrap() != second.run("good").unwrap());

        let last = watch.finish().await.unwrap();
        assert!(last.is_complete() && !last.is_success());
        let of = |runs: Vec<&eset_protect::automation::v1::DeviceTaskRun>| {
            runs.into_iter().map(|run| run.device_uuid.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(last.failed().collect()), ["bad"]);
        assert_eq!(of(last.suppressed().collect()), ["quiet"]);
        assert_eq!(of(last.runs().collect()), ["bad", "good", "late", "quiet"]);
        assert_eq!((last.counts().total(), last.counts().ended()), (4, 4));
    })
    .await;
}

#[tokio::test]
async fn every_change_is_an_item() {
    let builder = || {
        let late = std::time::UNIX_EPOCH + BEGIN + seconds(50);
        builder().device(Device::new("late").off_until(late)).device(Device::new("bad").failing())
    };
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["bad", "good", "late"]))).await;
        let seen = world.seen(world.watch(&uuid)).await;
        assert_eq!(
            seen,
            [
                "0ns: 1 not started, 2 queued",
                "16.25s: 1 not started, 2 running",
                "57.8125s: 1 queued, 2 running",
                "62.8125s: 3 running",
                "72.3125s: 1 running, 1 finished, 1 failed",
                "136.65625s: 2 finished, 1 failed, complete",
            ]
        );
    })
    .await;
}
