//! Tests that need other software than Rust.

/// Says that a test was not run and why. A failure where `NO_SKIPPED_TESTS` is set, as `.ci/run` sets it.
#[track_caller]
pub fn skipped(reason: &str) {
    assert!(std::env::var_os("NO_SKIPPED_TESTS").is_none(), "not tested: {reason}");
    eprintln!("not tested: {reason}");
}
