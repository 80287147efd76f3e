//! No secret occurs in any output at the most verbose level: not in events of any crate, in spans for OTLP,
//! in metrics, in the `Debug` and `Display` of a caller's values, nor in what the command prints, writes or
//! shows in the process list.

#![cfg(all(feature = "emulator", feature = "rest", feature = "otel", feature = "metrics"))]

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "cli")]
mod command;
mod echoes;
mod forms;
mod hostile_text;
mod library;
mod outputs;
