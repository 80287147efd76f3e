//! Serves RPCs to callers over gRPC and REST.
//!
//! tonic's stubs serve gRPC, with [`Reflection`] to describe the services. [`RestFront`] serves REST: it
//! matches HTTP requests with the same rules that the REST client uses, and calls a [`Backend`] for each RPC.
//! The build script generates a backend per service from tonic's trait for the service, so one implementation
//! serves both:
//!
//! ```
//! use std::sync::Arc;
//!
//! use eset_protect::policy_management::v2::policies_server;
//! use eset_protect::server::{Policies, RestFront};
//!
//! fn rest(service: Arc<impl policies_server::Policies>) -> RestFront {
//!     RestFront::new([Arc::new(Policies::new(service)) as _])
//! }
//! ```

mod backend;
#[cfg(feature = "_connections")]
pub(crate) mod bounded;
#[cfg(feature = "_connections")]
pub(crate) mod browsers;
#[cfg(feature = "_connections")]
mod compression;
#[cfg(feature = "_connections")]
pub(crate) mod connections;
#[cfg(feature = "_connections")]
mod cors;
pub(crate) mod deadline;
#[cfg(feature = "_connections")]
pub(crate) mod encoded;
pub(crate) mod encoding;
mod error_body;
#[cfg(feature = "_connections")]
pub(crate) mod front;
#[cfg(feature = "_connections")]
pub(crate) mod head;
#[cfg(feature = "_connections")]
pub(crate) mod health;
#[cfg(feature = "_connections")]
pub(crate) mod introspection;
mod limits;
pub(crate) mod metadata;
#[cfg(feature = "_connections")]
pub(crate) mod notifier;
#[cfg(feature = "_connections")]
mod openapi;
#[cfg(feature = "_connections")]
pub(crate) mod pages;
mod reflection;
mod rest;
pub(crate) mod rich_status;
#[cfg(feature = "_connections")]
#[cfg_attr(not(feature = "serve"), allow(unreachable_pub))]
pub(crate) mod running;
mod services;

pub use backend::{Backend, RestCall, RestFuture, RestResponse};
#[cfg(feature = "_connections")]
pub use connections::ConnectionLimits;
#[cfg(feature = "_connections")]
pub use cors::{Origin, ParseOriginError};
pub use limits::RestLimits;
pub use reflection::Reflection;
pub use rest::RestFront;
pub use services::Services;

include!(concat!(env!("OUT_DIR"), "/backends.rs"));
