//! Generates the messages of the official conformance suite if its folder is given.

use std::error::Error;
use std::path::PathBuf;

/// The folder where `.ci/conformance` puts the suite.
const SUITE: &str = "PROTOBUF_CONFORMANCE";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-env-changed={SUITE}");
    println!("cargo:rerun-if-changed=build.rs");
    let Some(suite) = std::env::var_os(SUITE).map(PathBuf::from) else { return Ok(()) };
    let protos =
        PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("proto");
    std::fs::create_dir_all(&protos)?;
    for (file, path) in [
        ("conformance.proto", "conformance/conformance.proto"),
        ("test_messages_proto3.proto", "conformance/messages/test_messages_proto3.proto"),
    ] {
        let path = suite.join("protoc/include").join(path);
        println!("cargo:rerun-if-changed={}", path.display());
        std::fs::copy(&path, protos.join(file))
            .map_err(|error| format!("{SUITE}: {}: {error}", path.display()))?;
    }
    println!("cargo:rustc-cfg=suite");
    eset_protect_build::Generator::new(protos).run()
}
