//! Shared code of the property tests: the message types in prost-reflect, and random messages.

pub mod exact;
pub mod random;
pub mod tape;

use std::sync::LazyLock;

use eset_protect::wkt::TypeRegistry;
use proptest::test_runner::Config;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

/// Every type of the crate, and all well-known types.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let mut pool = DescriptorPool::decode(eset_protect::proto::FILE_DESCRIPTOR_SET)
        .expect("the crate's own descriptors");
    // The set has the well-known types that ESET's files import; an Any may contain the others too.
    let known: Vec<_> = pool.files().map(|file| file.name().to_owned()).collect();
    let well_known = DescriptorPool::global();
    let missing = well_known.files().filter(|file| !known.iter().any(|name| name == file.name()));
    pool.add_file_descriptor_protos(missing.map(|file| file.file_descriptor_proto().clone()))
        .expect("the well-known types");
    pool
});

/// Returns the descriptors of all types that the crate knows.
pub fn all_types() -> Vec<MessageDescriptor> {
    let names = TypeRegistry::default().names();
    names
        .iter()
        .map(|name| POOL.get_message_by_name(name).unwrap_or_else(|| panic!("no type {name}")))
        .collect()
}

/// Returns the configuration for `cases` cases, or more if `PROPTEST_CASES` asks for more.
pub fn config(cases: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config { cases: asked.unwrap_or(0).max(cases), failure_persistence: None, ..Config::default() }
}

/// Returns the oracle's JSON of a message.
pub fn oracle_json(message: &DynamicMessage) -> serde_json::Value {
    // Through text, because a `Value` created directly contains 32-bit floats as widened neighbours.
    let text = serde_json::to_string(message).expect("a random message has a JSON form");
    serde_json::from_str(&text).expect("JSON")
}
