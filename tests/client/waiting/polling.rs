//! How often a watch polls, and when it does not.

use std::time::Duration;

use eset_protect::CallOptions;
use eset_protect::emulator::{Builder, Fault, PageLimits};

use crate::waiting::{builder, devices, over_both_wires, seconds, task};

#[tokio::test]
async fn pauses_grow_and_are_short_again_after_a_change() {
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a"]))).await;
        world.watch(&uuid).finish().await.unwrap();
        let pauses = world.timer.take_sleeps();
        let pauses: Vec<_> = pauses.iter().map(Duration::as_secs_f64).collect();
        let queued = [2.0, 3.0, 4.5, 6.75];
        let running = [2.0, 3.0, 4.5, 6.75, 10.125, 15.1875, 22.78125];
        assert_eq!(pauses, [&queued[..], &running].concat());
        // The first poll came at once, each other one after a pause.
        assert_eq!(world.calls("ListTaskRuns"), pauses.len() + 1);
    })
    .await;
}

#[tokio::test]
async fn pauses_are_as_they_are_set() {
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a"]))).await;
        world.watch(&uuid).interval(seconds(30), seconds(5)).finish().await.unwrap();
        assert_eq!(world.timer.take_sleeps(), [seconds(30); 3], "never shorter than the first");
        let uuid = world.create(task(devices(&["a"]))).await;
        world.watch(&uuid).interval(seconds(8), seconds(10)).finish().await.unwrap();
        let pauses = world.timer.take_sleeps().iter().map(Duration::as_secs).collect::<Vec<_>>();
        assert_eq!(pauses, [8, 10, 8, 10, 10, 10, 10, 10]);
        let uuid = world.create(task(devices(&["a"]))).await;
        let huge = world.watch(&uuid).interval(Duration::ZERO, Duration::MAX);
        huge.settling_time(Duration::MAX).finish().await.unwrap();
        assert_eq!(world.timer.take_sleeps()[0], Duration::from_millis(1));
    })
    .await;
}

#[tokio::test]
async fn all_pages_are_read() {
    let builder = || -> Builder { builder().page_limits(PageLimits::new(2, 2)) };
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a", "b", "c", "d", "e"]))).await;
        let mut watch = world.watch(&uuid);
        let first = watch.next().await.unwrap().unwrap();
        assert_eq!(first.counts().queued, 5);
        assert_eq!(world.calls("ListTaskRuns"), 3);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_asked_while_nobody_polls_and_after_the_drop() {
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a"]))).await;
        let mut watch = world.watch(&uuid);
        assert_eq!(world.calls("ListTaskRuns"), 0);
        watch.next().await.unwrap().unwrap();
        world.timer.advance(seconds(600));
        tokio::task::yield_now().await;
        assert_eq!(world.calls("ListTaskRuns"), 1);

        // A poll in progress ends with the watch.
        let (fault, mut held) = Fault::hold();
        world.emulator.faults().push_for("ListTaskRuns", fault);
        tokio::select! {
            biased;
            item = watch.next() => panic!("the response is held: {item:?}"),
            () = held.arrived(1) => {}
        }
        drop(watch);
        drop(held);
        world.client.device_tasks().get_task(&*uuid).await.unwrap();
        assert_eq!(world.calls("ListTaskRuns"), 2);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_next_loses_nothing() {
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a"]))).await;
        let mut watch = world.watch(&uuid);
        let (fault, mut held) = Fault::hold();
        world.emulator.faults().push_for("ListTaskRuns", fault);
        tokio::select! {
            biased;
            item = watch.next() => panic!("the response is held: {item:?}"),
            () = held.arrived(1) => {}
        }
        held.release();
        let progress = watch.next().await.unwrap().unwrap();
        assert_eq!(progress.counts().queued, 1);
        assert_eq!(world.calls("ListTaskRuns"), 1, "the same poll");
    })
    .await;
}

#[tokio::test]
async fn options_travel_with_each_call() {
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a"]))).await;
        let options = CallOptions::new().metadata("x-who", "the test");
        world.watch(&uuid).options(options).finish().await.unwrap();
        for arrival in world.emulator.log().iter().filter(|a| !a.is_rpc("CreateTask")) {
            assert_eq!(arrival.headers.get("x-who").unwrap(), "the test", "{arrival:?}");
        }
    })
    .await;
}
