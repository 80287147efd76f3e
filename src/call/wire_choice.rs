//! Uses gRPC if the server supports it, and REST otherwise.
//!
//! Before its first call, a client asks the server for its gRPC health, which changes nothing. Any gRPC
//! response, even an error, shows that the server supports gRPC. Any other response, or a connection that
//! cannot be HTTP/2, shows that it does not, and the client uses REST from then on. If the server is
//! unreachable, if a proxy reports that, or if the server refuses the request, nothing is known and the next
//! call asks again, as it does after a broken connection.
//!
//! A server that no longer supports gRPC refuses the path, method or content type of a call. It ran nothing,
//! so this call and all later ones use REST. A call that may have run never switches wires.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use prost::DecodeError;

use super::bounds::{Bounds, NextRequest};
use crate::error::{Error, ErrorKind};
use crate::rpc::MethodSpec;
use crate::single_flight::SingleFlight;
use crate::telemetry;
use crate::transport::{Link, Messages, Outgoing, refuses_grpc, speaks_grpc};

/// The longest wait for a server that accepts a connection and then says nothing: another connection may be
/// better, and the call should have time left for it.
const PROBE: Duration = Duration::from_secs(10);

const UNKNOWN: u8 = 0;
const GRPC: u8 = 1;
const REST: u8 = 2;

/// Both wires, and which of them the server supports.
pub(crate) struct WireChoice {
    grpc: Link,
    rest: Link,
    known: Arc<Known>,
}

/// The chosen wire, if known.
struct Known {
    wire: AtomicU8,
    /// The current probes.
    probing: Mutex<SingleFlight<Result<u8, Error>>>,
}

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

    /// Returns the wire as far as known: gRPC until it turns out to be REST.
    pub(super) fn likely(&self) -> &Link {
        if self.known.wire() == Some(REST) { &self.rest } else { &self.grpc }
    }

    /// Returns the wire of a call. Probes the server if it is not known.
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

    /// Returns where a call with a pending response started.
    pub(super) fn rest(&self) -> &Link {
        &self.rest
    }

    /// Returns REST if the server refused the protocol of a request over gRPC: it ran nothing.
    pub(super) fn other(&self, link: &Link, error: &Error) -> Option<&Link> {
        let is_refused = !link.is_rest() && refuses_grpc(error);
        is_refused.then(|| {
            self.known.set(REST);
            &self.rest
        })
    }

    /// Makes the next call probe again after a broken connection or an invalid response: another server may
    /// be listening by now.
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
                match probing.under_way() {
                    Some(under_way) => (under_way, false),
                    None => (probing.begin(self.probe(bounds, headers)), true),
                }
            };
            match probing.await {
                // The other call may have had less time than this one.
                Err(error) if !is_own && error.is_deadline_exceeded() => {}
                found => return found,
            }
        }
    }

    /// Probes the server.
    fn probe(
        &self,
        bounds: &Bounds,
        headers: &HeaderMap,
    ) -> impl Future<Output = Result<u8, Error>> + Send + use<> {
        let (grpc, known) = (self.grpc.clone(), self.known.clone());
        let (bounds, mut headers) = (bounds.at_most(PROBE), headers.clone());
        async move {
            let outgoing = Outgoing::new(&HEALTH, &Health);
            let probe = NextRequest { outgoing: &outgoing, number: 1, pending_id: None, polls: 0 };
            let found = match bounds.send(&grpc, &mut headers, &probe).await {
                Ok(_) => Ok(GRPC),
                Err(error) => match speaks_grpc(&error) {
                    Some(true) => Ok(GRPC),
                    Some(false) => Ok(REST),
                    // The call itself was not sent.
                    None => Err(error.unsent()),
                },
            };
            // The probe of another runtime may have been quicker.
            if let (Ok(found), None) = (&found, known.wire()) {
                known.set(*found);
            }
            found
        }
    }
}

/// An RPC that any gRPC server may answer or refuse.
static HEALTH: MethodSpec = MethodSpec::new(
    "/grpc.health.v1.Health/Check",
    "grpc.health.v1.HealthCheckRequest",
    "grpc.health.v1.HealthCheckResponse",
);

/// Asks for the health of the whole server; the response is not read.
struct Health;

impl Messages for Health {
    fn encode(&self, _buffer: &mut Vec<u8>) {}

    fn decode(&self, _bytes: Bytes) -> Result<bool, DecodeError> {
        Ok(true)
    }
}
