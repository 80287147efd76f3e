//! Messages as bytes, as JSON and as HTTP requests, and what is wrong with them before they are sent.

#[path = "../support/mod.rs"]
mod support;

mod any;
mod check;
mod documented;
mod fuzz;
mod large_bytes;
mod properties;
mod protojson;
mod transcode;
