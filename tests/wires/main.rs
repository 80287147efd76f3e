//! Every behaviour of the client, once over gRPC and once over REST, from the same source, and through each front of
//! a bridge to each of its upstreams: all records must be identical.
//!
//! Each route has its own emulator with a manual clock and sequential identifiers, so that even times and
//! identifiers agree.

#![cfg(all(feature = "emulator", feature = "serve"))]

#[path = "../support/mod.rs"]
mod support;

mod assignments;
mod bulk;
#[cfg(feature = "quarantine-management")]
mod documents;
mod downloads;
mod errors;
#[cfg(feature = "all-services")]
mod fleet;
mod policies;
mod resources;
mod tasks;
mod without_json;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use added_service::server::AllServices;
use eset_protect::emulator::{Builder, Clock, Emulator, ManualClock, Running, SequentialIds};
use eset_protect::serve::{Bridge, RunningBridge};
use eset_protect::transcode::{code_from_http, http_from_code};
use eset_protect::wkt::Timestamp;
use eset_protect::{Client, Error, RetryPolicy, Wire, code_name};
use tonic::Code;

/// A client on one route, its emulator, and the record.
struct Fixture {
    client: Client,
    clock: Arc<ManualClock>,
    log: Vec<String>,
    emulator: Running,
    _bridge: Option<RunningBridge>,
}

/// A way from the client to an emulator: directly over a wire, or through this front of a bridge.
#[derive(Clone, Copy, Debug)]
struct Route {
    front: Option<Wire>,
    upstream: Wire,
}

const ROUTES: [Route; 6] = {
    const fn route(front: Option<Wire>, upstream: Wire) -> Route {
        Route { front, upstream }
    }
    [
        route(None, Wire::Grpc),
        route(None, Wire::Rest),
        route(Some(Wire::Grpc), Wire::Grpc),
        route(Some(Wire::Grpc), Wire::Rest),
        route(Some(Wire::Rest), Wire::Grpc),
        route(Some(Wire::Rest), Wire::Rest),
    ]
};

async fn connect(endpoint: &str, wire: Wire, retry: RetryPolicy) -> Client {
    Client::builder(endpoint).wire(wire).retry(retry).connect().await.expect("a client")
}

impl Fixture {
    async fn start(route: Route, configure: impl FnOnce(Builder) -> Builder) -> Self {
        // 2030-01-01T00:00:00Z.
        let clock = Arc::new(ManualClock::new(UNIX_EPOCH + Duration::from_secs(1_893_456_000)));
        let builder = Emulator::builder().clock(clock.clone()).ids(SequentialIds);
        let emulator = configure(builder).build().expect("an emulator");
        let emulator = emulator.start().await.expect("an emulator");
        // A bridge would wait before it repeats a call, and `serve` tests its retries.
        let retry =
            if route.front.is_some() { RetryPolicy::none() } else { RetryPolicy::default() };
        let mut client = connect(&emulator.endpoint(), route.upstream, retry).await;
        let mut bridge = None;
        if let Some(front) = route.front {
            let running = Bridge::to(client).services(AllServices).start().await.expect("a bridge");
            client = connect(&running.endpoint(), front, RetryPolicy::default()).await;
            bridge = Some(running);
        }
        Self { client, clock, log: Vec::new(), emulator, _bridge: bridge }
    }

    /// Records the result of a call and passes it on.
    fn note<T: Debug>(&mut self, what: &str, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => {
                self.log.push(format!("{what}: {value:?}"));
                Some(value)
            }
            Err(error) => {
                self.log.push(format!("{what}: {}", described(&error)));
                None
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// Records anything else.
    fn say(&mut self, what: String) {
        self.log.push(what);
    }
}

/// Describes an error as far as ESET's gateway preserves it: its mapping of codes to HTTP statuses is not one
/// to one, and its error bodies contain the HTTP status (FACTS.md#errors). Everything else must agree.
fn described(error: &Error) -> String {
    let kept = code_from_http(http_from_code(error.code()));
    // Of the two codes that map to 409, one says that nothing ran and the other does not.
    let executed = (kept != Code::Aborted).then(|| error.may_have_executed());
    let details: Vec<_> = error.details().iter().map(serde_json::to_string).collect();
    format!(
        "{:?} {} {:?} {details:?} of {}, executed {executed:?}",
        error.kind(),
        code_name(kept),
        error.message(),
        error.rpc().map(|spec| spec.path).unwrap_or_default(),
    )
}

/// Runs a behaviour over all routes and compares the records.
async fn over_all_routes(behaviour: impl AsyncFn(&mut Fixture)) {
    over_all_routes_with(|builder| builder.seed(true), behaviour).await;
}

async fn over_all_routes_with(
    configure: fn(Builder) -> Builder,
    behaviour: impl AsyncFn(&mut Fixture),
) {
    let mut first: Option<Vec<String>> = None;
    for route in ROUTES {
        let mut fixture = Fixture::start(route, configure).await;
        behaviour(&mut fixture).await;
        assert!(!fixture.log.is_empty(), "the behaviour wrote nothing down");
        let first = first.get_or_insert_with(|| fixture.log.clone());
        for (first, log) in first.iter().zip(&fixture.log) {
            assert_eq!(first, log, "gRPC on the left, {route:?} on the right");
        }
        assert_eq!(first.len(), fixture.log.len(), "{route:?}");
    }
}
