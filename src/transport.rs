//! The wires of a client, and the trait for a wire of your own.
//!
//! A [`Transport`] makes exactly one attempt at a call. Everything else happens above it, whatever the wire: the
//! deadline, retries, the rate limit, access tokens, polls of pending responses, spans and metrics. So your own
//! transport is short: a mock for tests ([`ClientBuilder::transport`](crate::ClientBuilder::transport)),
//! a recorder around the wires of this crate ([`ClientBuilder::layer`](crate::ClientBuilder::layer)), or another
//! gRPC stack. `examples/mock_transport.rs` and `examples/recorder.rs` show the first two.
//!
//! ```
//! use eset_protect::automation::v1::{DeviceTask, GetTaskRequest, GetTaskResponse};
//! use eset_protect::auth::BoxFuture;
//! use eset_protect::transport::{Reply, Request, Transport};
//! use eset_protect::{Client, Error};
//! use prost::Message;
//!
//! /// Answers each `GetTask` with a task of that uuid.
//! #[derive(Debug)]
//! struct Mock;
//!
//! impl Transport for Mock {
//!     fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
//!         Box::pin(async move {
//!             if request.spec().method != "GetTask" {
//!                 return Err(tonic::Status::unimplemented("the mock knows GetTask alone").into());
//!             }
//!             let get = GetTaskRequest::decode(request.protobuf())
//!                 .map_err(|error| tonic::Status::internal(error.to_string()))?;
//!             let task = DeviceTask { uuid: get.task_uuid, ..Default::default() };
//!             Ok(Reply::message(&GetTaskResponse { task: Some(task) }))
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let client = Client::builder("http://mock").transport(Mock).connect_lazy()?;
//! let response = client.device_tasks().get_task("0b7f").await?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod balancer;
mod below_layers;
mod complete_body;
pub(crate) mod connector;
mod error_chain;
#[cfg(feature = "rest")]
mod evidence;
pub(crate) mod grpc;
mod host;
#[cfg(feature = "rest")]
pub(crate) mod http;
pub(crate) mod keep_alive;
mod limits;
mod link;
mod monitored_connection;
mod no_http2;
mod per_runtime;
#[cfg(feature = "serve")]
mod place;
mod proxy;
mod readiness;
mod refusal;
mod reply;
mod request;
mod resolver;
#[cfg(feature = "rest")]
pub(crate) mod rest;
mod tcp;
#[cfg(feature = "tls")]
pub(crate) mod tls;

use std::fmt::Debug;
use std::sync::Arc;

pub(crate) use below_layers::{BelowLayers, Limited};
#[cfg(feature = "rest")]
pub(crate) use evidence::{refuses_grpc, speaks_grpc};
pub(crate) use host::{bare, is_loopback};
pub(crate) use limits::Limits;
pub(crate) use link::Link;
#[cfg(feature = "serve")]
pub(crate) use place::names_a_place;
pub(crate) use readiness::Sent;
#[cfg(feature = "serve")]
pub(crate) use refusal::is_by_answering_server;
pub use reply::Reply;
#[cfg(feature = "rest")]
pub use request::HttpForm;
pub use request::Request;
pub(crate) use request::{Messages, Outgoing, SentSecrets};
pub use resolver::{Dns, Resolver};

use crate::error::Error;
pub(crate) use crate::framing::MessageLimit;
pub(crate) use crate::headers::{metadata, retry_after};
use crate::pointers::for_pointers;
use crate::timer::BoxFuture;

/// The product and version, for the header `user-agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("eset-protect/", env!("CARGO_PKG_VERSION"));

/// The flow-control window for all responses on an HTTP/2 connection: the maximum. Each response has its own
/// limit, and responses that are not read yet, as in a bulk whose caller makes another call, must not block
/// the others.
pub(crate) const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// A wire: sends a request once and returns the reply.
///
/// It neither waits nor repeats: the client does that, see the [module](self). The client drops the future when
/// the time of the attempt or of the call is up, or its caller drops the call.
pub trait Transport: Debug + Send + Sync + 'static {
    /// Sends a request once.
    ///
    /// # Errors
    ///
    /// If there is no reply, or the reply is an error; made of a [`tonic::Status`]. The client retries by the same
    /// rules as on its own wires: an `UNAVAILABLE` [may have executed](Error::may_have_executed), so only
    /// idempotent calls are made again, unless it is made by [`Error::not_sent`].
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>>;
}

for_pointers! {
    Transport: send['a](request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>>;
}
