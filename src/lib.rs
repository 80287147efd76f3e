//! The gRPC-native client for ESET PROTECT.
#![warn(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// Generated code names the crate as users' own generated code does.
extern crate self as eset_protect;

mod call;
mod client;
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub mod codegen;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
pub mod params;
pub mod proto;
pub mod protojson;
pub mod rpc;
mod transport;
mod types;
pub mod wkt;

pub use call::{Call, CallOptions, Items, Paginator};
pub use client::{Client, ClientBuilder, DeviceTasks, Policies, PolicyAssignments};
pub use error::{Error, ErrorKind, code_name};
#[cfg(feature = "tls")]
pub use transport::tls::TlsConfig;

#[doc(no_inline)]
pub use proto::eset::dotnod::{automation, policy_management};
