//! A client outlives the tokio runtime in which it was created, and works in several.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use eset_protect::auth::BoxFuture;
use eset_protect::transport::Resolver;
use eset_protect::{Client, ClientBuilder, RateLimiter, Wire};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use crate::refused::http2::{BOTH, Http2, TASK, create, get};
use crate::support::scripted::frames::{FrameServer, What};
use crate::support::scripted::{Answer, Hook, Scripted, Step, head, json, ok};

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

/// Makes a call in a runtime that nothing drives any more once its work has begun, and then one in another.
fn second_of_two(client: &Client, begun: &Notify) {
    let first = runtime();
    let mut call = Box::pin(get(client));
    first.block_on(async {
        tokio::select! {
            result = &mut call => panic!("{result:?}"),
            () = begun.notified() => {}
        }
    });
    assert_eq!(runtime().block_on(get(client)).unwrap().uuid, "t-1");
}

/// Notifies that a request came, and never answers it.
fn silence(begun: &Arc<Notify>) -> Answer {
    let begun = begun.clone();
    Answer::Steps(vec![Step::Then(Hook::new(move || {
        begun.notify_one();
        false
    }))])
}

#[test]
fn a_login_in_an_idle_runtime_delays_no_other() {
    let (servers, begun) = (servers(), Arc::default());
    let login = servers.block_on(Scripted::start([silence(&begun)]));
    let login = login.otherwise(json("200 OK", r#"{"access_token":"a","expires_in":3600}"#));
    let api = servers.block_on(Scripted::start([])).otherwise(ok(TASK));
    let client = Client::builder(&api.endpoint())
        .wire(Wire::Rest)
        .login("user", "secret")
        .token_url(format!("{}/oauth/token", login.endpoint()))
        .timeout(Duration::from_secs(10))
        .connect_lazy()
        .unwrap();
    second_of_two(&client, &begun);
    assert_eq!(login.seen().len(), 2);
}

#[test]
fn nor_does_a_probe_for_the_wire() {
    let (servers, begun) = (servers(), Arc::default());
    let no_http2 = Answer::Close(head("400 Bad Request", &[("connection", "close")], Some(0)));
    let server = servers.block_on(Scripted::start([silence(&begun), no_http2, ok(TASK)]));
    let builder = Client::builder(&server.endpoint()).wire(Wire::Auto);
    second_of_two(&builder.timeout(Duration::from_secs(10)).connect_lazy().unwrap(), &begun);
    assert_eq!(server.seen().len(), 3);
}

/// Notifies of the first lookup, which never ends.
#[derive(Debug)]
struct Lookups(Arc<Notify>, SocketAddr, std::sync::atomic::AtomicBool);

impl Resolver for Lookups {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async {
            if !self.2.swap(true, std::sync::atomic::Ordering::SeqCst) {
                self.0.notify_one();
                std::future::pending::<()>().await;
            }
            Ok(vec![self.1])
        })
    }
}

#[test]
fn nor_does_the_first_lookup_of_addresses() {
    let (servers, begun) = (servers(), Arc::default());
    let (server, builder) = servers.block_on(Http2::Grpc.start([], Http2::Grpc.answer()));
    let lookups = Lookups(Arc::clone(&begun), server.address(), false.into());
    let builder = builder.resolver(lookups).timeout(Duration::from_secs(10));
    second_of_two(&builder.connect_lazy().unwrap(), &begun);
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
