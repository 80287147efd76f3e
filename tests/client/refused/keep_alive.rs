//! HTTP/2 pings: none that a server with gRPC's defaults refuses, and fewer if a server refuses them anyway.

use std::time::Duration;

use eset_protect::ErrorKind;
use tokio::time::{Instant, advance, pause};

use crate::refused::http2::{BOTH, assert_may_have_run, create, get};
use crate::support::scripted::frames::{Act, Last, What, code};

const SHORT: Duration = Duration::from_millis(5);

/// Stops tokio's clock until the returned value is dropped. Without a blocking task it would advance by
/// itself whenever all tasks wait, even for bytes in transit.
fn stop_clock() -> std::sync::mpsc::Sender<()> {
    let (sender, receiver) = std::sync::mpsc::channel();
    tokio::task::spawn_blocking(move || receiver.recv());
    pause();
    sender
}

/// Advances the clock and lets all tasks see it.
async fn pass(time: Duration) {
    advance(time).await;
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// gRPC's default for servers: one ping every five minutes during a call.
#[tokio::test]
async fn a_call_of_hours_is_pinged_as_servers_take_it() {
    for wire in BOTH {
        let stopped = stop_clock();
        let (server, builder) = wire.start([], []).await;
        let client = builder.timeout(Duration::from_secs(24 * 3600)).connect_lazy().unwrap();
        let call = tokio::spawn(async move { create(&client).await });
        server.until_count(What::Request, 1).await;

        let (mut last, mut pings) = (Instant::now(), 0);
        while pings < 20 {
            pass(Duration::from_secs(5)).await;
            let seen = server.count(What::Ping);
            if seen > pings {
                assert_eq!(seen, pings + 1, "{wire:?}");
                assert!(
                    last.elapsed() > Duration::from_secs(300),
                    "{wire:?}: {:?}",
                    last.elapsed()
                );
                (last, pings) = (Instant::now(), seen);
            }
            assert!(last.elapsed() < Duration::from_secs(600), "{wire:?}: no ping at all");
        }
        assert!(!call.is_finished(), "{wire:?}: it waits for its response");
        call.abort();
        tokio::time::resume();
        drop(stopped);
    }
}

#[tokio::test]
async fn without_a_call_there_is_no_ping() {
    for wire in BOTH {
        let (server, builder) = wire.start([], wire.answer()).await;
        let client = builder.keep_alive_interval(SHORT).connect_lazy().unwrap();
        get(&client).await.unwrap();
        let (busy, builder) = wire.start([], []).await;
        let other = builder.keep_alive_interval(SHORT).connect_lazy().unwrap();
        let call = tokio::spawn(async move { get(&other).await });
        // The pings of the busy connection are the clock.
        busy.until_count(What::Ping, 5).await;
        assert!(server.count(What::Ping) <= 1, "{wire:?}: {:?}", server.seen());
        call.abort();
    }
}

#[tokio::test]
async fn and_none_at_all_if_that_is_asked_for() {
    for wire in BOTH {
        let (server, builder) = wire.start([], []).await;
        let client = builder.keep_alive_interval(None).connect_lazy().unwrap();
        let quiet = tokio::spawn(async move { get(&client).await });
        server.until_count(What::Request, 1).await;
        let (busy, builder) = wire.start([], []).await;
        let other = builder.keep_alive_interval(SHORT).connect_lazy().unwrap();
        let call = tokio::spawn(async move { get(&other).await });
        busy.until_count(What::Ping, 5).await;
        assert_eq!(server.count(What::Ping), 0, "{wire:?}");
        quiet.abort();
        call.abort();
    }
}

/// A server that counts pings and closes the connection because of them, as gRPC servers do: its calls are
/// lost once, and the next connection does not provoke it again.
#[tokio::test]
async fn a_server_that_wants_fewer_pings_gets_fewer() {
    for wire in BOTH {
        let calm = code::ENHANCE_YOUR_CALM;
        let (server, builder) = wire.start([], []).await;
        // Another connection with the same interval is the clock for the second call.
        let (busy, other) = wire.start([], []).await;
        let other = other.keep_alive_interval(SHORT).connect_lazy().unwrap();
        let clock = tokio::spawn(async move { get(&other).await });
        busy.until_count(What::Ping, 1).await;

        server.push(vec![Act::GoAwayFor(Last::Any, calm, "too_many_pings"), Act::Close]);
        let client = builder.keep_alive_interval(SHORT).connect_lazy().unwrap();
        let error = create(&client).await.unwrap_err();
        assert_may_have_run(&error);
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1), "{error:?}");

        let second = tokio::spawn(async move { create(&client).await });
        server.until_count(What::Request, 2).await;
        let before = busy.count(What::Ping);
        busy.until_count(What::Ping, before + 10).await;
        let pings = server.seen().into_iter().filter(|seen| seen.what == What::Ping);
        assert_eq!(pings.filter(|seen| seen.connection == 1).count(), 0, "{wire:?}");
        assert!(!second.is_finished());
        second.abort();
        clock.abort();
    }
}

/// Other GOAWAYs say nothing about pings.
#[tokio::test]
async fn for_another_reason_the_pings_go_on() {
    for (code, why) in [
        (code::ENHANCE_YOUR_CALM, ""),
        (code::ENHANCE_YOUR_CALM, "too_many_pings_"),
        (code::NO_ERROR, "too_many_pings"),
    ] {
        for wire in BOTH {
            let end = vec![Act::GoAwayFor(Last::Any, code, why), Act::Close];
            let (server, builder) = wire.start([end], []).await;
            let client = builder.keep_alive_interval(SHORT).connect_lazy().unwrap();
            assert_may_have_run(&create(&client).await.unwrap_err());
            let second = tokio::spawn(async move { create(&client).await });
            server
                .until(|log| {
                    let pings = log.iter().filter(|seen| seen.what == What::Ping);
                    pings.filter(|seen| seen.connection == 1).count() >= 3
                })
                .await;
            second.abort();
        }
    }
}

/// What happens with a GOAWAY: calls that it excludes are sent again immediately, as usual.
#[tokio::test]
async fn a_call_that_it_leaves_out_is_made_again() {
    for wire in BOTH {
        let calm = code::ENHANCE_YOUR_CALM;
        let end = vec![Act::GoAwayFor(Last::Before, calm, "too_many_pings"), Act::Close];
        let (server, builder) = wire.start([end], wire.answer()).await;
        let client = builder.keep_alive_interval(SHORT).connect_lazy().unwrap();
        assert_eq!(create(&client).await.unwrap().uuid, "t-1");
        assert_eq!(server.count(What::Request), 2, "{wire:?}");
    }
}

/// A server that does not answer a ping is gone.
#[tokio::test]
async fn a_ping_without_an_answer_ends_the_connection() {
    for wire in BOTH {
        let (_server, builder) = wire.start([], [Act::Deaf]).await;
        let builder = builder.keep_alive_interval(SHORT).keep_alive_timeout(SHORT);
        let error = create(&builder.connect_lazy().unwrap()).await.unwrap_err();
        assert_may_have_run(&error);
    }
}
