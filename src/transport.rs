//! One attempt of one call on one wire. Whatever repeats or waits lives above.

#[cfg(feature = "rest")]
mod auto;
mod complete_body;
mod connection;
pub(crate) mod connector;
mod error_chain;
mod exchange;
pub(crate) mod grpc;
#[cfg(feature = "rest")]
pub(crate) mod http;
pub(crate) mod keep_alive;
mod limits;
mod loopback;
mod metadata;
mod monitored_connection;
mod no_http2;
mod per_runtime;
mod proxy;
mod readiness;
mod refusal;
#[cfg(feature = "rest")]
pub(crate) mod rest;
mod retry_after;
#[cfg(feature = "tls")]
pub(crate) mod tls;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ::http::HeaderValue;
use tonic::Response;
use tonic::metadata::MetadataMap;

use crate::error::{Error, ErrorKind, Secrets};
use crate::rpc::{MethodSpec, Rpc};
use crate::telemetry::Server;
#[cfg(feature = "rest")]
pub(crate) use auto::AutoTransport;
pub(crate) use exchange::{Exchange, Limit};
pub(crate) use limits::Limits;
pub(crate) use loopback::is_loopback;
pub(crate) use metadata::metadata;
use readiness::{Readiness, Sent};
pub(crate) use retry_after::retry_after;

/// The product and its version, in the header `user-agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("eset-protect/", env!("CARGO_PKG_VERSION"));

/// What the answers of one connection of HTTP/2 may fill together before somebody reads them: the most that
/// there is. Each has a limit of its own, and those that nobody reads yet, as in a bulk whose caller makes a
/// call of its own, must not hold up the others.
pub(crate) const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// What an attempt needs besides the message.
#[derive(Clone)]
pub(crate) struct Attempt {
    /// What bounds it.
    pub(crate) exchange: Exchange,
    /// What travels with the request.
    pub(crate) metadata: MetadataMap,
    /// The `response-id` of an answer that was pending when an earlier attempt of this call ended. Only
    /// REST has that.
    #[cfg_attr(not(feature = "rest"), allow(dead_code))]
    pub(crate) pending_id: Option<HeaderValue>,
    /// Whether any of it can have gone out; told when it ends, also where it is given up.
    pub(crate) is_sent: Arc<AtomicBool>,
}

/// The wire of a client.
#[derive(Debug)]
pub(crate) enum Transport {
    /// gRPC.
    Grpc(Box<grpc::GrpcTransport>),
    /// REST.
    #[cfg(feature = "rest")]
    Rest(Box<rest::RestTransport>),
    /// Whichever the server speaks.
    #[cfg(feature = "rest")]
    Auto(Box<AutoTransport>),
}

impl Transport {
    /// Where the requests of an RPC go.
    #[cfg_attr(not(feature = "rest"), allow(unused_variables))]
    pub(crate) fn server(&self, spec: &MethodSpec) -> Option<Server> {
        match self {
            Self::Grpc(grpc) => Some(grpc.server()),
            #[cfg(feature = "rest")]
            Self::Rest(rest) => rest.server(spec),
            #[cfg(feature = "rest")]
            Self::Auto(auto) => auto.server(spec),
        }
    }

    /// Makes one attempt.
    pub(crate) async fn attempt<R: Rpc>(
        &self,
        request: &R::Request,
        mut attempt: Attempt,
    ) -> Result<Response<R::Response>, Error> {
        let secrets = Secrets::of(attempt.metadata.as_ref());
        attempt.exchange.secrets = secrets.clone();
        let sent = Sent::begin(self.readiness(), attempt.is_sent.clone());
        let result = match self {
            Self::Grpc(grpc) => grpc.attempt::<R>(request, attempt).await,
            #[cfg(feature = "rest")]
            Self::Rest(rest) => rest.attempt::<R>(request, attempt).await,
            #[cfg(feature = "rest")]
            Self::Auto(auto) => auto.attempt::<R>(request, attempt).await,
        };
        result.map_err(|error| {
            let is_unsent = error.kind() == ErrorKind::Deadline && !sent.is_possible();
            let error = if is_unsent { error.unsent() } else { error };
            error.redacted(&secrets)
        })
    }

    /// Whether there are connections that take requests, on each wire.
    fn readiness(&self) -> Vec<Readiness> {
        match self {
            Self::Grpc(grpc) => vec![grpc.readiness().clone()],
            #[cfg(feature = "rest")]
            Self::Rest(rest) => vec![rest.readiness().clone()],
            #[cfg(feature = "rest")]
            Self::Auto(auto) => auto.readiness().map(Clone::clone).into(),
        }
    }
}
