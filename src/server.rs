//! Fronts: how callers reach the RPCs that a server answers.
//!
//! tonic's stubs are the gRPC front, and [`Reflection`] tells its callers what there is. [`RestFront`] is the REST front: it matches HTTP requests by the
//! same rules that the REST client expands, and asks a [`Backend`] for each RPC. The build script makes
//! a backend for each service over tonic's trait of it, so one implementation serves both fronts:
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
pub(crate) mod deadline;
#[cfg(feature = "emulator")]
pub(crate) mod encoded;
mod encoding;
mod limits;
mod metadata;
mod reflection;
mod rest;
mod services;

pub use backend::{Backend, RestAnswer, RestCall, RestFuture};
pub use limits::RestLimits;
pub use reflection::Reflection;
pub use rest::RestFront;
pub use services::Services;

include!(concat!(env!("OUT_DIR"), "/backends.rs"));
