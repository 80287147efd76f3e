//! Generates the messages of the official conformance suite if its folder is given.

use std::error::Error;
use std::path::PathBuf;

/// The folder where `.ci/conformance` puts the suite.
const SUITE: &str = "PROTOBUF_CONFORMANCE";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-env-changed={SUITE}");
    println!("cargo:rerun-if-changed=build.rs");
    let Some(suite) = std::env::var_os(SUITE).map(PathBuf::from) else { return Ok(()) };
    println!("cargo:rustc-cfg=suite");
    eset_protect_build::Generator::new(suite.join("protos")).run()
}
