//! The official protobuf conformance suite: its binary and JSON tests for proto3, required and recommended.
//! `.ci/conformance` downloads it.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::skip::skipped;

/// The folder of the suite.
const SUITE: &str = "PROTOBUF_CONFORMANCE";

/// Where the testee writes its responses.
const ANSWERS: &str = "ESET_PROTECT_TEST_CONFORMANCE";

#[test]
fn the_suite_finds_what_is_expected_and_nothing_else() {
    let Some(suite) = std::env::var_os(SUITE) else {
        return skipped(
            "`.ci/conformance` fetches the official conformance suite; PROTOBUF_CONFORMANCE is its folder",
        );
    };
    let folder = tempfile::tempdir().unwrap();
    // This same binary, whose own output must not be mixed with the responses.
    let testee = folder.path().join("testee");
    let binary = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\nexec 3>&1 >/dev/null\n{ANSWERS}=/dev/fd/3 exec '{}' --exact protojson::conformance::testee --nocapture\n",
        binary.display(),
    );
    std::fs::write(&testee, script).unwrap();
    std::fs::set_permissions(&testee, Permissions::from_mode(0o755)).unwrap();

    let expected =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/expected_failures.txt");
    let output = Command::new(Path::new(&suite).join("run"))
        .args(["--enforce_recommended", "--failure_list"])
        .arg(expected)
        .arg("--output_dir")
        .arg(folder.path())
        .arg(testee)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    // A testee that skips everything would pass too.
    let successes = told.split_once("PASSED: ").and_then(|(_, rest)| rest.split(' ').next());
    assert!(successes.unwrap().parse::<u32>().unwrap() > 1400, "{told}");
}

/// Runs in a separate process, started by the suite.
#[test]
fn testee() {
    let Some(answers) = std::env::var_os(ANSWERS) else { return };
    let answers: File = OpenOptions::new().write(true).open(answers).unwrap();
    conformance_testee::serve(std::io::stdin().lock(), answers).unwrap();
}
