//! The client against servers on loopback sockets: calls, lists, logins, the rate limit, waiting, TLS, and connections
//! that break.

#[path = "../support/mod.rs"]
mod support;

mod auth;
mod endpoints;
mod from_env;
mod grpc;
mod paging;
mod rate_limiter;
mod refused;
mod rest;
mod tls;
mod transport;
mod waiting;
