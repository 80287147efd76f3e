//! Reads any bytes as a policy's settings: `cargo +nightly fuzz run container`. Stable Rust holds the corpus in
//! `tests/policies`.

#![no_main]

#[path = "../container.rs"]
mod container;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| container::check(bytes));
