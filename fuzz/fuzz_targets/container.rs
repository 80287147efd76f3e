//! Reads any bytes as a policy's settings: `cargo +nightly fuzz run container`. Stable Rust holds the corpus in
//! `tests/policies`.

#![no_main]

#[path = "../properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::check(bytes));
