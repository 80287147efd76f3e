//! No secret is in any output of a run at the most verbose level: not in what any crate tells by
//! `tracing`, not in spans for OTLP, metrics, `Debug` and `Display` of what a caller holds, nor in what
//! the command prints, writes or shows in the list of processes.

#![cfg(all(feature = "emulator", feature = "rest", feature = "otel", feature = "metrics"))]

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "cli")]
mod command;
mod echoes;
mod forms;
mod library;
mod outputs;
