//! What a watch does when polls fail, and when its time is up.

use eset_protect::emulator::{Device, Fault};
use eset_protect::{ErrorKind, code_name};
use tonic::Code;

use crate::waiting::{builder, described, devices, over_both_wires, seconds, task};

#[tokio::test]
async fn what_may_pass_is_passed_over() {
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a"]))).await;
        let faults = world.emulator.faults();
        for fault in [
            Fault::code(Code::Unavailable),
            Fault::code(Code::Internal),
            Fault::code(Code::DeadlineExceeded),
            Fault::too_many_requests(None),
            Fault::break_before_headers(),
            Fault::break_mid_body(),
            Fault::http(http::StatusCode::BAD_GATEWAY, "text/html", "<html>"),
        ] {
            faults.push_for("ListTaskRuns", fault);
        }
        faults.push_for("GetTask", Fault::code(Code::Unavailable));
        let last = world.watch(&uuid).finish().await.unwrap();
        assert!(last.is_success());
        assert_eq!(faults.waiting(), 0, "all of them happened");
    })
    .await;
}

#[tokio::test]
async fn too_many_failures_in_a_row_end_it() {
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a"]))).await;
        let mut watch = world.watch(&uuid).max_failures(2);
        let faults = world.emulator.faults();
        let fail = |times: usize| {
            // More than the attempts of a call.
            (0..times).for_each(|_| faults.push_for("ListTaskRuns", Fault::code(Code::Internal)));
        };
        // Two, and a success between them and the next.
        fail(2);
        watch.next().await.unwrap().unwrap();
        fail(2);
        watch.next().await.unwrap().unwrap();
        fail(3);
        let error = watch.next().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.rpc().unwrap().method),
            (ErrorKind::Status, "ListTaskRuns")
        );
        assert!(error.to_string().contains("; 3 polls in a row failed"), "{error}");
        assert!(watch.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn what_does_not_pass_ends_it_at_once() {
    for code in
        [Code::PermissionDenied, Code::Unauthenticated, Code::NotFound, Code::InvalidArgument]
    {
        over_both_wires(builder, async |world| {
            let uuid = world.create(task(devices(&["a"]))).await;
            let mut watch = world.watch(&uuid);
            watch.next().await.unwrap().unwrap();
            let calls = world.calls("ListTaskRuns");
            world.emulator.faults().push_for("ListTaskRuns", Fault::code(code));
            let error = watch.next().await.unwrap().unwrap_err();
            assert_eq!(code_name(error.code()), code_name(code));
            assert_eq!(world.calls("ListTaskRuns"), calls + 1);
            assert!(watch.next().await.is_none());
        })
        .await;
    }
}

#[tokio::test]
async fn the_time_is_up_between_two_polls() {
    over_both_wires(
        || builder().device(Device::new("off").off()),
        async |world| {
            let uuid = world.create(task(devices(&["a", "off"]))).await;
            let seen = world.seen(world.watch(&uuid).timeout(seconds(100))).await;
            let end = "100s: DEADLINE_EXCEEDED: the task is not done on 1 of 2 devices within 100s";
            assert_eq!(seen.last().unwrap(), end);
            assert_eq!(world.timer.passed(), seconds(100), "not a moment longer");
        },
    )
    .await;
}

#[tokio::test]
async fn the_time_is_up_while_an_answer_is_waited_for() {
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a"]))).await;
        let mut watch = world.watch(&uuid).timeout(seconds(20));
        let (fault, mut held) = Fault::hold();
        world.emulator.faults().push_for("ListTaskRuns", fault);
        let move_on = async {
            held.arrived(1).await;
            world.timer.advance(seconds(20));
        };
        let (item, ()) = tokio::join!(watch.next(), move_on);
        let error = item.unwrap().unwrap_err();
        assert!(error.is_deadline_exceeded() && error.rpc().is_none());
        assert!(!error.may_have_executed(), "watching changes nothing");
        assert!(error.message().starts_with("no poll completed within 20s"), "{error}");
        assert!(watch.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn the_end_says_why_the_last_poll_failed() {
    over_both_wires(builder, async |world| {
        let uuid = world.create(task(devices(&["a"]))).await;
        let mut watch = world.watch(&uuid).timeout(seconds(3));
        let first = watch.next().await.unwrap().unwrap();
        assert_eq!(described(&first), "1 queued");
        for _ in 0..10 {
            world.emulator.faults().push_for("ListTaskRuns", Fault::code(Code::Internal));
        }
        let error = watch.next().await.unwrap().unwrap_err();
        assert!(error.is_deadline_exceeded(), "{error}");
        let expected = "not done on 1 of 1 device within 3s; the last poll failed: ListTaskRuns: ";
        assert!(error.message().contains(expected), "{error}");
        assert!(error.underlying().is_some());
    })
    .await;
}

#[tokio::test]
async fn no_time_at_all_asks_for_nothing() {
    over_both_wires(builder, async |world| {
        let error = world.watch("x").timeout(seconds(0)).finish().await.unwrap_err();
        assert!(error.is_deadline_exceeded());
        assert_eq!(world.emulator.log().len(), 0);
    })
    .await;
}
