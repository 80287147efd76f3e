//! Every behaviour of the client, once over gRPC and once over REST, from the same source: the records of
//! both wires must be identical.
//!
//! Each wire has its own emulator with a manual clock and sequential identifiers, so that even times and
//! identifiers agree.

#![cfg(all(feature = "emulator", feature = "rest"))]

#[path = "../support/mod.rs"]
mod support;

mod assignments;
mod bulk;
#[cfg(feature = "quarantine-management")]
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

use eset_protect::emulator::{Builder, Clock, Emulator, ManualClock, Running, SequentialIds};
use eset_protect::transcode::{code_from_http, http_from_code};
use eset_protect::wkt::Timestamp;
use eset_protect::{Client, Error, Wire, code_name};
use tonic::Code;

/// A client on one wire, its emulator, and the record.
struct Fixture {
    client: Client,
    clock: Arc<ManualClock>,
    log: Vec<String>,
    emulator: Running,
}

impl Fixture {
    async fn start(wire: Wire, configure: impl FnOnce(Builder) -> Builder) -> Self {
        // 2030-01-01T00:00:00Z.
        let clock = Arc::new(ManualClock::new(UNIX_EPOCH + Duration::from_secs(1_893_456_000)));
        let builder = Emulator::builder().clock(clock.clone()).ids(SequentialIds);
        let emulator = configure(builder).build().expect("an emulator");
        let emulator = emulator.start().await.expect("an emulator");
        let client = Client::builder(&emulator.endpoint()).wire(wire).connect().await;
        Self { client: client.expect("a client"), clock, log: Vec::new(), emulator }
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

/// Runs a behaviour over both wires and compares the records.
async fn over_both_wires(behaviour: impl AsyncFn(&mut Fixture)) {
    over_both_wires_with(|builder| builder.seed(true), behaviour).await;
}

async fn over_both_wires_with(
    configure: fn(Builder) -> Builder,
    behaviour: impl AsyncFn(&mut Fixture),
) {
    let mut logs = Vec::new();
    for wire in [Wire::Grpc, Wire::Rest] {
        let mut fixture = Fixture::start(wire, configure).await;
        behaviour(&mut fixture).await;
        assert!(!fixture.log.is_empty(), "the behaviour wrote nothing down");
        logs.push(fixture.log);
    }
    let [grpc, rest] = logs.as_slice() else { unreachable!("two wires") };
    for (grpc, rest) in grpc.iter().zip(rest) {
        assert_eq!(grpc, rest, "gRPC on the left, REST on the right");
    }
    assert_eq!(grpc.len(), rest.len());
}
