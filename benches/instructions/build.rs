//! Generates the types of buffa.

use std::error::Error;
use std::path::Path;

use prost::Message;

const FILES: [&str; 4] = [
    "Era/Common/DataDefinition/Task/ESS/on_demand_scan.proto",
    "eset/dotnod/automation/v1/device_task.proto",
    "eset/dotnod/automation/v1/device_tasks.proto",
    "eset/dotnod/policy_management/v2/policies.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let set = protox::compile(FILES, ["../../proto"])?;
    let files: Vec<String> = set.file.iter().map(|file| file.name().to_owned()).collect();
    let files: Vec<_> =
        files.into_iter().filter(|name| !name.starts_with("google/protobuf/")).collect();
    let path = Path::new(&std::env::var("OUT_DIR")?).join("set.bin");
    std::fs::write(&path, set.encode_to_vec())?;
    buffa_build::Config::new()
        .descriptor_set(path)
        .files(&files)
        .generate_json(true)
        .include_file("buffa.rs")
        .compile()
}
