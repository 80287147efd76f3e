//! Connections that end before a request, with it, and between two.

use std::error::Error as StdError;
use std::io;
use std::iter::successors;
use std::time::Duration;

use eset_protect::{Client, Error, Wire};
use tokio::net::TcpListener;
use tonic::Code;

use crate::refused::http2::{
    BOTH, Http2, TASK, assert_may_have_run, assert_not_run, at_once, create, get,
};
use crate::support::causes::causes;
use crate::support::scripted::frames::{Act, Last, What, code};
use crate::support::scripted::{Answer, Scripted, ok};

/// Longer than a call takes on a busy machine.
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_connection_that_ends_with_the_request_may_have_run_it() {
    for wire in BOTH {
        for acts in [
            vec![Act::Close],
            vec![Act::AtOnce, Act::Close],
            vec![wire.head(), Act::Close],
            vec![wire.head(), wire.beginning(), Act::Close],
        ] {
            let (server, error) = wire.create_error(&acts).await;
            assert_may_have_run(&error);
            assert_eq!(error.code(), Code::Unavailable, "{wire:?}: {acts:?}: {error:?}");
            assert_eq!(server.count(What::Head), 1, "{wire:?}: {acts:?}: a create is made once");
        }
    }
}

#[tokio::test]
async fn a_server_that_accepts_and_closes_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let accepting = tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    for wire in [Wire::Grpc, Wire::Rest] {
        let client = at_once(Client::builder(&endpoint)).wire(wire).connect_lazy().unwrap();
        for _ in 0..20 {
            let error = create(&client).await.unwrap_err();
            assert_eq!(error.code(), Code::Unavailable, "{wire:?}: {error:?}");
        }
    }
    accepting.abort();
}

/// Programs print an error alone, or with the `source` of each.
#[tokio::test]
async fn an_error_names_its_cause_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for wire in [Wire::Grpc, Wire::Rest] {
        let client = at_once(Client::builder(&endpoint)).wire(wire).connect_lazy().unwrap();
        let error = create(&client).await.unwrap_err();
        let chain = successors(Some(&error as &(dyn StdError + 'static)), |&error| error.source());
        let chain: Vec<_> = chain.map(ToString::to_string).collect();
        assert_eq!(chain.join(": ").matches("refused").count(), 1, "{chain:?}");
        assert!(chain[0].contains("refused"), "{chain:?}");
        let mut io = causes(&error).filter_map(|cause| cause.downcast_ref::<io::Error>());
        let is_refused = io.any(|cause| cause.kind() == io::ErrorKind::ConnectionRefused);
        assert!(is_refused, "{wire:?}: {error:?}");
    }
}

/// Compares the result of each call with what the server saw.
#[derive(Debug, Default)]
struct Tally {
    done: usize,
    may_have_run: usize,
    not_run: usize,
}

impl Tally {
    fn add<T>(&mut self, result: Result<T, Error>) {
        match result {
            Ok(_) => self.done += 1,
            Err(error) => {
                // In about one of 100,000 such calls under load: tokio's channel takes the request at the very moment
                // when hyper's task of the connection drops its end, and keeps it. The deadline of the call ends it.
                if !error.is_deadline_exceeded() {
                    assert_eq!(error.code(), Code::Unavailable, "{error:?}");
                }
                if error.may_have_executed() {
                    assert!(!error.message().contains("nothing was done"), "{error}");
                    self.may_have_run += 1;
                } else {
                    self.not_run += 1;
                }
            }
        }
    }

    /// Checks that no call ran twice, and that none reported as not run has run.
    #[track_caller]
    fn check(&self, seen: usize) {
        let most = self.done + self.may_have_run;
        assert!((self.done..=most).contains(&seen), "{seen} requests: {self:?}");
    }
}

/// Makes 200 calls to a server that does this after each response.
async fn call_often(wire: Http2, after: &[Act]) {
    let acts = [wire.answer(), after.to_vec()].concat();
    let (server, builder) = wire.start([], acts).await;
    let client = builder.timeout(LONG).connect_lazy().unwrap();
    let mut tally = Tally::default();
    for _ in 0..200 {
        tally.add(create(&client).await);
        tally.check(server.count(What::Request));
    }
    assert!(tally.done >= 100, "{wire:?}: {after:?}: {tally:?}");
}

/// With several threads, so that the connection may end at any point of the next call.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn connections_that_end_between_calls_double_none() {
    for wire in BOTH {
        for after in [
            vec![Act::Close],
            vec![Act::GoAway(Last::This, code::NO_ERROR)],
            vec![Act::GoAway(Last::This, code::NO_ERROR), Act::Close],
            vec![Act::GoAway(Last::This, code::INTERNAL_ERROR), Act::Close],
            // The first step of a shutdown: requests that arrive are still processed.
            vec![Act::GoAway(Last::Any, code::NO_ERROR)],
            vec![Act::GoAway(Last::Any, code::NO_ERROR), Act::Close],
        ] {
            call_often(wire, &after).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nor_do_those_of_http_1() {
    let Answer::Keep(bytes) = ok(TASK) else { unreachable!() };
    let server = Scripted::start((0..1000).map(|_| Answer::Close(bytes.clone()))).await;
    let client =
        at_once(Client::builder(&server.endpoint()).timeout(LONG)).wire(Wire::Rest).connect_lazy();
    let client = client.unwrap();
    let mut tally = Tally::default();
    for _ in 0..200 {
        tally.add(create(&client).await);
        tally.check(server.seen().len());
    }
    assert!(tally.done >= 100, "{tally:?}");
}

/// A server that shuts down finishes current calls and accepts no more. Calls made meanwhile report that
/// nothing was done, or use a new connection.
#[tokio::test]
async fn a_call_during_a_shutdown_did_not_run() {
    for wire in BOTH {
        for last in [Last::This, Last::Before] {
            let hanging = vec![Act::GoAway(last, code::NO_ERROR)];
            let (server, builder) = wire.start([hanging], wire.answer()).await;
            let client = builder.connect_lazy().unwrap();
            let first = tokio::spawn({
                let client = client.clone();
                async move { create(&client).await }
            });
            server.until_count(What::Request, 1).await;
            let mut tally = Tally::default();
            while tally.done == 0 {
                let result = create(&client).await;
                if let Err(error) = &result {
                    assert_not_run(error, "nothing was done");
                }
                tally.add(result);
            }
            get(&client).await.unwrap();
            if last == Last::This {
                assert!(!first.is_finished(), "{wire:?}: it was promised a response");
                assert_eq!(server.count(What::Request), 3);
                first.abort();
            }
        }
    }
}

#[tokio::test]
async fn the_next_call_has_a_connection_of_its_own() {
    for wire in BOTH {
        let (server, builder) = wire.start([vec![Act::Close]], wire.answer()).await;
        let client = builder.connect_lazy().unwrap();
        assert_may_have_run(&create(&client).await.unwrap_err());
        get(&client).await.unwrap();
        assert_eq!(server.count(What::Connection), 2);
        assert_eq!(server.count(What::Closed), 1, "{wire:?}");
    }
}
