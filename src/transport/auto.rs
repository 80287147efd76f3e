//! gRPC if the far side speaks it, REST if it does not.
//!
//! Before its first call a client asks the far side for its gRPC health, which changes nothing. Any
//! answer in gRPC, also an error, shows gRPC. An answer that is none, or a connection that cannot be
//! HTTP/2, shows that it is not gRPC, and then it is REST from then on. A far side that is not there, or a
//! proxy that says so, or one that turns the question away, shows nothing, and the next call asks again. So it does after a connection broke.
//!
//! A far side that stops speaking gRPC later says so by refusing the path, the method or the content
//! type of a call: it ran nothing, so that call moves to REST with all that follow. A call that may have
//! run never moves by itself.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tonic::Response;

use super::Attempt;
use super::grpc::{GrpcTransport, NotGrpc, status};
use super::refusal::Refused;
use super::rest::RestTransport;
use super::tls;
use crate::error::{Error, ErrorKind};
use crate::rpc::{MethodSpec, Rpc};
use crate::telemetry::{self, Server};

/// A far side that accepts and then says nothing is not waited for longer: another connection may do
/// better, and the call should have time left for it.
const PROBE: Duration = Duration::from_secs(10);

const UNKNOWN: u8 = 0;
const GRPC: u8 = 1;
const REST: u8 = 2;

/// Both wires, and which of them the far side speaks.
#[derive(Debug)]
pub(crate) struct AutoTransport {
    grpc: GrpcTransport,
    rest: RestTransport,
    choice: AtomicU8,
    probing: tokio::sync::Mutex<()>,
}

impl AutoTransport {
    pub(crate) fn new(grpc: GrpcTransport, rest: RestTransport) -> Self {
        Self { grpc, rest, choice: AtomicU8::new(UNKNOWN), probing: tokio::sync::Mutex::default() }
    }

    /// Where the requests of an RPC go: over either wire the same, as far as is known.
    pub(crate) fn server(&self, spec: &MethodSpec) -> Option<Server> {
        if self.choice.load(Ordering::Relaxed) == REST {
            return self.rest.server(spec);
        }
        Some(self.grpc.server())
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
                self.choice.store(REST, Ordering::Relaxed);
                telemetry::wire_chosen("REST");
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
            self.choice.store(UNKNOWN, Ordering::Relaxed);
        }
        result
    }

    async fn choose(&self, attempt: &Attempt) -> Result<u8, Error> {
        let known = self.choice.load(Ordering::Relaxed);
        if known != UNKNOWN {
            return Ok(known);
        }
        // One call asks, the others wait for what it finds.
        let _probing = self.probing.lock().await;
        let known = self.choice.load(Ordering::Relaxed);
        if known != UNKNOWN {
            return Ok(known);
        }
        let probe = Attempt { exchange: attempt.exchange.at_most(PROBE), ..attempt.clone() };
        let found = match self.grpc.probe(probe).await {
            Ok(()) => GRPC,
            Err(error) => match error.kind() {
                ErrorKind::Status | ErrorKind::Limit => GRPC,
                ErrorKind::Transport if is_garbled(&error) => GRPC,
                ErrorKind::Transport if !is_out_of_order(&error) && !is_turned_away(&error) => REST,
                ErrorKind::Connect if is_without_http2(&error) => REST,
                // The call itself was not sent.
                _ => return Err(error.unsent()),
            },
        };
        self.choice.store(found, Ordering::Relaxed);
        telemetry::wire_chosen(if found == GRPC { "gRPC" } else { "REST" });
        Ok(found)
    }
}

/// The far side answered that it knows no such path, method or content type, in another protocol.
fn is_refused_protocol(error: &Error) -> bool {
    status::find::<NotGrpc>(error).is_some_and(NotGrpc::is_other_protocol)
}

/// A proxy answered for a server that it does not reach, which shows nothing about the server.
fn is_out_of_order(error: &Error) -> bool {
    status::find::<NotGrpc>(error).is_some_and(NotGrpc::is_out_of_order)
}

/// The far side spoke HTTP/2 and did not take the request, which does not show whether it knows gRPC.
fn is_turned_away(error: &Error) -> bool {
    status::find::<Refused>(error).is_some_and(Refused::is_by_far_side)
}

/// The far side answered in gRPC, though nothing that can be read.
fn is_garbled(error: &Error) -> bool {
    status::find::<status::Garbled>(error).is_some()
}

/// TLS failed because the far side offers no HTTP/2.
fn is_without_http2(error: &Error) -> bool {
    use tokio_rustls::rustls::{AlertDescription, Error as TlsError};
    let alert = AlertDescription::NoApplicationProtocol;
    matches!(tls::find(error), Some(TlsError::AlertReceived(found)) if *found == alert)
}
