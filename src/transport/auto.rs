//! gRPC if the server speaks it, REST if it does not.
//!
//! Before its first call a client asks the server for its gRPC health, which changes nothing. Any
//! answer in gRPC, also an error, shows gRPC. An answer that is none, or a connection that cannot be
//! HTTP/2, shows that it is not gRPC, and then it is REST from then on. A server that is not there, or a
//! proxy that says so, or one that turns the question away, shows nothing, and the next call asks again. So it does after a connection broke.
//!
//! A server that stops speaking gRPC later says so by refusing the path, the method or the content
//! type of a call: it ran nothing, so that call moves to REST with all that follow. A call that may have
//! run never moves by itself.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use tonic::Response;

use super::Attempt;
use super::error_chain::find;
use super::grpc::{GrpcTransport, NotGrpc, status};
use super::no_http2::NoHttp2;
use super::readiness::Readiness;
use super::refusal::Refused;
use super::rest::RestTransport;
use super::tls;
use crate::error::{Error, ErrorKind};
use crate::rpc::{MethodSpec, Rpc};
use crate::telemetry::{self, Server};
use crate::timer::BoxFuture;

/// A server that accepts and then says nothing is not waited for longer: another connection may do
/// better, and the call should have time left for it.
const PROBE: Duration = Duration::from_secs(10);

const UNKNOWN: u8 = 0;
const GRPC: u8 = 1;
const REST: u8 = 2;

/// Both wires, and which of them the server speaks.
#[derive(Debug)]
pub(crate) struct AutoTransport {
    grpc: GrpcTransport,
    rest: RestTransport,
    choice: Arc<Choice>,
}

/// Which wire it is, as far as is known.
#[derive(Debug)]
struct Choice {
    wire: AtomicU8,
    /// The question that is under way, if somebody still waits for what it finds.
    probing: Mutex<Option<WeakShared<Probing>>>,
}

/// All who wait for it drive it: were it one of them, that one could keep the others waiting for as long as
/// nobody polls it.
type Probing = BoxFuture<'static, Result<u8, Arc<Error>>>;

impl Choice {
    fn known(&self) -> Option<u8> {
        Some(self.wire.load(Ordering::Relaxed)).filter(|wire| *wire != UNKNOWN)
    }

    fn set(&self, wire: u8) {
        self.wire.store(wire, Ordering::Relaxed);
        telemetry::wire_chosen(if wire == GRPC { "gRPC" } else { "REST" });
    }
}

impl AutoTransport {
    pub(crate) fn new(grpc: GrpcTransport, rest: RestTransport) -> Self {
        let choice = Choice { wire: AtomicU8::new(UNKNOWN), probing: Mutex::default() };
        Self { grpc, rest, choice: Arc::new(choice) }
    }

    /// Where the requests of an RPC go: over either wire the same, as far as is known.
    pub(crate) fn server(&self, spec: &MethodSpec) -> Option<Server> {
        if self.choice.known() == Some(REST) {
            return self.rest.server(spec);
        }
        Some(self.grpc.server())
    }

    /// Whether the connections of either wire take requests.
    pub(super) fn readiness(&self) -> [&Readiness; 2] {
        [self.grpc.readiness(), self.rest.readiness()]
    }

    pub(crate) async fn attempt<R: Rpc>(
        &self,
        request: &R::Request,
        attempt: Attempt,
    ) -> Result<Response<R::Response>, Error> {
        // A pending answer is where the call was begun.
        if attempt.pending_id.is_some() || self.choose(&attempt).await? == REST {
            return self.rest::<R>(request, attempt).await;
        }
        match self.grpc.attempt::<R>(request, attempt.clone()).await {
            Err(error) if is_refused_protocol(&error) || is_without_http2(&error) => {
                self.choice.set(REST);
                self.rest::<R>(request, attempt).await
            }
            result => self.doubt(result),
        }
    }

    async fn rest<R: Rpc>(
        &self,
        request: &R::Request,
        attempt: Attempt,
    ) -> Result<Response<R::Response>, Error> {
        self.doubt(self.rest.attempt::<R>(request, attempt).await)
    }

    /// After a connection that broke, or an answer in no protocol, the next call asks again: something
    /// else may listen there by now.
    fn doubt<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if matches!(&result, Err(error) if error.kind() == ErrorKind::Transport) {
            self.choice.wire.store(UNKNOWN, Ordering::Relaxed);
        }
        result
    }

    async fn choose(&self, attempt: &Attempt) -> Result<u8, Error> {
        if let Some(known) = self.choice.known() {
            return Ok(known);
        }
        loop {
            let (probing, is_own) = {
                let mut probing =
                    self.choice.probing.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(known) = self.choice.known() {
                    return Ok(known);
                }
                match probing.as_ref().and_then(WeakShared::upgrade) {
                    Some(under_way) => (under_way, false),
                    None => {
                        let begun = self.probing(attempt);
                        *probing = begun.downgrade();
                        (begun, true)
                    }
                }
            };
            match probing.await {
                // The other had less time than this one, perhaps.
                Err(error) if !is_own && error.is_deadline_exceeded() => {}
                // Whoever waits alone gets the error with its source.
                found => {
                    return found.map_err(|error| {
                        Arc::try_unwrap(error).unwrap_or_else(|shared| shared.share())
                    });
                }
            }
        }
    }

    /// Asks, when it is polled.
    fn probing(&self, attempt: &Attempt) -> Shared<Probing> {
        let (grpc, choice) = (self.grpc.clone(), self.choice.clone());
        let probe = Attempt { exchange: attempt.exchange.at_most(PROBE), ..attempt.clone() };
        let probing = async move {
            let found = ask(&grpc, probe).await;
            if let Ok(found) = &found {
                choice.set(*found);
            }
            *choice.probing.lock().unwrap_or_else(PoisonError::into_inner) = None;
            found.map_err(Arc::new)
        };
        probing.boxed().shared()
    }
}

/// Finds out whether the server speaks gRPC.
async fn ask(grpc: &GrpcTransport, probe: Attempt) -> Result<u8, Error> {
    let Err(error) = grpc.probe(probe).await else { return Ok(GRPC) };
    match error.kind() {
        ErrorKind::Status | ErrorKind::Limit => Ok(GRPC),
        ErrorKind::Transport if is_garbled(&error) => Ok(GRPC),
        ErrorKind::Transport if !is_out_of_order(&error) && !is_turned_away(&error) => Ok(REST),
        ErrorKind::Connect if is_without_http2(&error) => Ok(REST),
        // The call itself was not sent.
        _ => Err(error.unsent()),
    }
}

/// The server answered that it knows no such path, method or content type, in another protocol.
fn is_refused_protocol(error: &Error) -> bool {
    find::<NotGrpc>(error).is_some_and(NotGrpc::is_other_protocol)
}

/// A proxy answered for a server that it does not reach, which shows nothing about the server.
fn is_out_of_order(error: &Error) -> bool {
    find::<NotGrpc>(error).is_some_and(NotGrpc::is_out_of_order)
}

/// The server spoke HTTP/2 and did not take the request, which does not show whether it knows gRPC.
fn is_turned_away(error: &Error) -> bool {
    find::<Refused>(error).is_some_and(Refused::is_by_far_side)
}

/// The server answered in gRPC, though nothing that can be read.
fn is_garbled(error: &Error) -> bool {
    find::<status::Garbled>(error).is_some()
}

/// TLS failed because the server offers no HTTP/2, or it does not begin with it.
fn is_without_http2(error: &Error) -> bool {
    if find::<NoHttp2>(error).is_some_and(NoHttp2::is_other_protocol) {
        return true;
    }
    use tokio_rustls::rustls::{AlertDescription, Error as TlsError};
    let alert = AlertDescription::NoApplicationProtocol;
    matches!(tls::find(error), Some(TlsError::AlertReceived(found)) if *found == alert)
}
