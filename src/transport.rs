//! One attempt of one call on one wire. Whatever repeats or waits lives above.

#[cfg(feature = "rest")]
mod auto;
pub(crate) mod connector;
mod exchange;
pub(crate) mod grpc;
#[cfg(feature = "rest")]
pub(crate) mod http;
mod limits;
mod metadata;
mod proxy;
mod refusal;
#[cfg(feature = "rest")]
pub(crate) mod rest;
mod retry_after;
#[cfg(feature = "tls")]
pub(crate) mod tls;
mod whole;

use std::time::Duration;

use ::http::HeaderValue;
use tonic::Response;
use tonic::metadata::MetadataMap;

use crate::error::Error;
use crate::rpc::{MethodSpec, Rpc};
use crate::telemetry::Server;
#[cfg(feature = "rest")]
pub(crate) use auto::AutoTransport;
pub(crate) use exchange::{Exchange, Limit};
pub(crate) use limits::Limits;
pub(crate) use metadata::metadata;
pub(crate) use retry_after::retry_after;

/// The product and its version, in the header `user-agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("eset-protect/", env!("CARGO_PKG_VERSION"));

/// After so long without a sign of life during a call, HTTP/2 asks for one.
pub(crate) const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// If it gets none for so long, the connection is dead.
pub(crate) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

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
}

/// The wire of a client.
#[derive(Debug)]
pub(crate) enum Transport {
    /// gRPC.
    Grpc(Box<grpc::GrpcTransport>),
    /// REST.
    #[cfg(feature = "rest")]
    Rest(Box<rest::RestTransport>),
    /// Whichever the far side speaks.
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
        attempt: Attempt,
    ) -> Result<Response<R::Response>, Error> {
        match self {
            Self::Grpc(grpc) => grpc.attempt::<R>(request, attempt).await,
            #[cfg(feature = "rest")]
            Self::Rest(rest) => rest.attempt::<R>(request, attempt).await,
            #[cfg(feature = "rest")]
            Self::Auto(auto) => auto.attempt::<R>(request, attempt).await,
        }
    }
}
