//! The spans, events, trace context and metrics of a client.

#![cfg(all(feature = "emulator", feature = "rest"))]

#[path = "../support/mod.rs"]
mod support;

mod capture;
mod events;
mod fixture;
#[cfg(feature = "metrics")]
mod metrics;
mod spans;
#[cfg(feature = "otel")]
mod trace_context;
