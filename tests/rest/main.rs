//! The client over REST, against a server that says what it is told to.

#![cfg(feature = "rest")]

#[path = "../greeter/mod.rs"]
mod greeter;
#[path = "../scripted/mod.rs"]
mod scripted;
mod support;

mod choice;
mod errors;
mod execution;
mod grpc_wire;
//mod hosts;
mod hostile;
mod pending;
//mod proxies;
mod tls;
