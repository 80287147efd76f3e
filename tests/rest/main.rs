//! The client over REST, against a server that says what it is told to.

#![cfg(all(feature = "emulator", feature = "rest"))]

#[path = "../support/driven_timer.rs"]
mod driven_timer;
#[path = "../greeter/mod.rs"]
mod greeter;
#[path = "../scripted/mod.rs"]
mod scripted;
mod support;

mod choice;
mod errors;
mod execution;
mod grpc_wire;
mod hostile;
mod hosts;
mod metadata;
mod pending;
mod proxies;
mod tls;
