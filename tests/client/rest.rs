//! The client over REST, against a scripted server.

#![cfg(all(feature = "emulator", feature = "rest"))]

mod calls;

mod choice;
mod errors;
mod execution;
mod failed_successes;
mod grpc_wire;
mod hostile;
mod hosts;
mod metadata;
mod odd_json;
mod pending;
mod proxies;
mod tls;
