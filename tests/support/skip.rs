//! Tests that need software other than Rust.

/// Reports that a test was skipped and why. Fails if `NO_SKIPPED_TESTS` is set, as in `.ci/run`.
#[track_caller]
pub fn skipped(reason: &str) {
    assert!(std::env::var_os("NO_SKIPPED_TESTS").is_none(), "not tested: {reason}");
    eprintln!("not tested: {reason}");
}
