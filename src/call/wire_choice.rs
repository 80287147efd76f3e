//! gRPC if the server speaks it, REST if it does not.
//!
//! Before its first call a client asks the server for its gRPC health, which changes nothing. Any answer in gRPC,
//! also an error, shows gRPC. An answer that is none, or a connection that cannot be HTTP/2, shows that it is not
//! gRPC, and then it is REST from then on. A server that is not there, or a proxy that says so, or one that turns
//! the question away, shows nothing, and the next call asks again. So it does after a connection broke.
//!
//! A server that stops speaking gRPC later says so by refusing the path, the method or the content type of a call:
//! it ran nothing, so that call moves to REST with all that follow. A call that may have run never moves by itself.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use http::HeaderMap;
use prost::DecodeError;

use super::bounds::{Bounds, Sent};
use crate::error::{Error, ErrorKind};
use crate::rpc::MethodSpec;
use crate::telemetry;
use crate::timer::BoxFuture;
use crate::transport::{Link, Messages, Outgoing, refuses_grpc, speaks_grpc};

/// A server that accepts and then says nothing is not waited for longer: another connection may do better, and the
/// call should have time left for it.
const PROBE: Duration = Duration::from_secs(10);

const UNKNOWN: u8 = 0;
const GRPC: u8 = 1;
const REST: u8 = 2;

/// Both wires, and which of them the server speaks.
pub(crate) struct WireChoice {
    grpc: Link,
    rest: Link,
    known: Arc<Known>,
}

/// Which wire it is, as far as is known.
struct Known {
    wire: AtomicU8,
    /// The question that is under way, if somebody still waits for what it finds.
    probing: Mutex<Option<WeakShared<Probing>>>,
}

/// All who wait for it drive it: were it one of them, that one could keep the others waiting for as long as nobody
/// polls it.
type Probing = BoxFuture<'static, Result<u8, Arc<Error>>>;

impl Known {
    fn wire(&self) -> Option<u8> {
        Some(self.wire.load(Ordering::Relaxed)).filter(|wire| *wire != UNKNOWN)
    }

    fn set(&self, wire: u8) {
        self.wire.store(wire, Ordering::Relaxed);
        telemetry::wire_chosen(if wire == GRPC { "gRPC" } else { "REST" });
    }
}

impl WireChoice {
    pub(crate) fn new(grpc: Link, rest: Link) -> Self {
        let known = Known { wire: AtomicU8::new(UNKNOWN), probing: Mutex::default() };
        Self { grpc, rest, known: Arc::new(known) }
    }

    /// The wire as far as is known: gRPC until it is REST.
    pub(super) fn likely(&self) -> &Link {
        if self.known.wire() == Some(REST) { &self.rest } else { &self.grpc }
    }

    /// The wire of a call, after a question to the server if it is not known.
    pub(super) async fn choose(
        &self,
        bounds: &Bounds,
        headers: &HeaderMap,
    ) -> Result<&Link, Error> {
        let wire = match self.known.wire() {
            Some(known) => known,
            None => self.ask(bounds, headers).await?,
        };
        Ok(if wire == REST { &self.rest } else { &self.grpc })
    }

    /// Where a call was begun whose answer is pending.
    pub(super) fn rest(&self) -> &Link {
        &self.rest
    }

    /// REST, if the server refused the protocol of a request over gRPC: it ran nothing.
    pub(super) fn other(&self, link: &Link, error: &Error) -> Option<&Link> {
        let is_refused = !link.is_rest() && refuses_grpc(error);
        is_refused.then(|| {
            self.known.set(REST);
            &self.rest
        })
    }

    /// After a connection that broke, or an answer in no protocol, the next call asks again: something else may
    /// listen there by now.
    pub(super) fn failed(&self, error: &Error) {
        if error.kind() == ErrorKind::Transport {
            self.known.wire.store(UNKNOWN, Ordering::Relaxed);
        }
    }

    async fn ask(&self, bounds: &Bounds, headers: &HeaderMap) -> Result<u8, Error> {
        loop {
            let (probing, is_own) = {
                let mut probing = self.known.probing.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(known) = self.known.wire() {
                    return Ok(known);
                }
                match probing.as_ref().and_then(WeakShared::upgrade) {
                    Some(under_way) => (under_way, false),
                    None => {
                        let begun = self.probing(bounds, headers);
                        *probing = begun.downgrade();
                        (begun, true)
                    }
                }
            };
            match probing.await {
                // The other had less time than this one, perhaps.
                Err(error) if !is_own && error.is_deadline_exceeded() => {}
                found => return found.map_err(Arc::unwrap_or_clone),
            }
        }
    }

    /// Asks, when it is polled.
    fn probing(&self, bounds: &Bounds, headers: &HeaderMap) -> Shared<Probing> {
        let (grpc, known) = (self.grpc.clone(), self.known.clone());
        let (bounds, mut headers) = (bounds.at_most(PROBE), headers.clone());
        let probing = async move {
            let outgoing = Outgoing::new(&HEALTH, &Health);
            let probe = Sent { outgoing: &outgoing, number: 1, pending_id: None, polls: 0 };
            let found = match bounds.send(&grpc, &mut headers, &probe).await {
                Ok(_) => Ok(GRPC),
                Err(error) => match speaks_grpc(&error) {
                    Some(true) => Ok(GRPC),
                    Some(false) => Ok(REST),
                    // The call itself was not sent.
                    None => Err(error.unsent()),
                },
            };
            if let Ok(found) = &found {
                known.set(*found);
            }
            *known.probing.lock().unwrap_or_else(PoisonError::into_inner) = None;
            found.map_err(Arc::new)
        };
        probing.boxed().shared()
    }
}

/// What every server of gRPC may answer or not.
static HEALTH: MethodSpec = MethodSpec::new(
    "/grpc.health.v1.Health/Check",
    "grpc.health.v1.HealthCheckRequest",
    "grpc.health.v1.HealthCheckResponse",
);

/// The question for the health of the whole server; nobody reads the answer.
struct Health;

impl Messages for Health {
    fn encode(&self, _buffer: &mut Vec<u8>) {}

    fn decode(&self, _bytes: Bytes) -> Result<(), DecodeError> {
        Ok(())
    }
}
