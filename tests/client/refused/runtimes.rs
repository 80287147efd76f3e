//! A client outlives the tokio runtime in which it was created, and works in several.

use std::time::Duration;

use eset_protect::{Client, ClientBuilder, RateLimiter, Wire};
use tokio::runtime::{Builder, Runtime};

use crate::refused::http2::{BOTH, TASK, create, get};
use crate::support::scripted::frames::{FrameServer, What};
use crate::support::scripted::{Scripted, json, ok};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns a runtime with its own threads, for servers.
fn servers() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// One attempt each, although the connection of the previous runtime is gone.
#[test]
fn a_client_is_used_in_one_runtime_after_another() {
    let servers = servers();
    for wire in BOTH {
        let (server, builder) = servers.block_on(wire.start([], wire.answer()));
        let client = builder.connect_lazy().unwrap();
        for round in 1..=12 {
            runtime().block_on(async {
                assert_eq!(get(&client).await.unwrap().uuid, "t-1");
                assert_eq!(create(&client).await.unwrap().uuid, "t-1");
            });
            assert_eq!(server.count(What::Request), 2 * round, "{wire:?}");
            assert_eq!(server.count(What::Connection), round, "{wire:?}: one in each runtime");
        }
    }
}

#[test]
fn a_client_that_was_connected_in_one_is_used_in_the_next() {
    let servers = servers();
    for wire in BOTH {
        let (server, builder) = servers.block_on(wire.start([], wire.answer()));
        let client = runtime().block_on(builder.connect()).unwrap();
        runtime().block_on(async { create(&client).await.unwrap() });
        assert_eq!(server.count(What::Request), 1);
    }
}

/// A runtime that nothing drives does not block the calls of another.
#[test]
fn nor_does_a_runtime_have_to_be_gone() {
    let servers = servers();
    for wire in BOTH {
        let (server, builder) = servers.block_on(wire.start([], wire.answer()));
        let client = builder.connect_lazy().unwrap();
        let (first, second) = (runtime(), runtime());
        for _ in 0..3 {
            for runtime in [&first, &second] {
                runtime.block_on(async { create(&client).await.unwrap() });
            }
        }
        assert_eq!(server.count(What::Request), 6, "{wire:?}");
        assert_eq!(server.count(What::Connection), 2, "{wire:?}: one in each runtime");
    }
}

/// Logins, tokens, rate limits, retries and the choice of the wire work too.
#[test]
fn all_that_a_client_has_goes_with_it() {
    let servers = servers();
    let _entered = servers.enter();
    let login = servers.block_on(Scripted::start([
        json("503 Service Unavailable", ""),
        json("200 OK", r#"{"access_token":"a","expires_in":0.001}"#),
    ]));
    let login = login.otherwise(json("200 OK", r#"{"access_token":"a","expires_in":3600}"#));
    let api = servers.block_on(Scripted::start([])).otherwise(ok(TASK));
    drop(_entered);
    let token_url = format!("{}/oauth/token", login.endpoint());
    let limiter = RateLimiter::new(50, Duration::from_secs(1));
    for wire in [Wire::Rest, Wire::Auto] {
        let builder: ClientBuilder = Client::builder(&api.endpoint())
            .wire(wire)
            .login("user", "secret")
            .token_url(&token_url)
            .rate_limiter(&limiter)
            .jitter(|_| Duration::ZERO);
        let client = builder.connect_lazy().unwrap();
        for _ in 0..4 {
            runtime().block_on(async { get(&client).await.unwrap() });
        }
    }
}

/// Outside any runtime there is an error rather than a panic.
#[test]
fn without_a_runtime_the_error_says_so() {
    let servers = servers();
    for wire in BOTH {
        let (_server, builder): (FrameServer, _) = servers.block_on(wire.start([], wire.answer()));
        let client = builder.connect_lazy().unwrap();
        let mut call = Box::pin(client.device_tasks().get_task("t-1").send());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match call.as_mut().poll(&mut context) {
            std::task::Poll::Ready(Err(error)) => {
                assert!(error.message().contains("tokio runtime"), "{wire:?}: {error}");
                assert!(!error.may_have_executed() && error.attempts() == 0, "{error:?}");
            }
            other => panic!("{wire:?}: {:?}", other.is_pending()),
        }
    }
}
