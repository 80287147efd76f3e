//! Reads any bytes as JSON: `cargo +nightly fuzz run json`. Stable Rust does so with broken messages in `tests/codecs`.

#![no_main]

#[path = "../json.rs"]
mod json;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| json::check(bytes));
