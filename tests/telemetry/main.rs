//! What a client tells about its calls: spans, events, trace context, metrics.

#![cfg(all(feature = "emulator", feature = "rest"))]

mod capture;
mod events;
#[path = "../support/hasty.rs"]
mod hasty;
#[cfg(feature = "metrics")]
mod metrics;
mod spans;
mod support;
#[cfg(feature = "otel")]
mod trace_context;
