//! Generates the message types with prost and the stubs with tonic.

use std::error::Error;
use std::path::Path;

use prost_reflect::prost::Message;
use prost_reflect::prost_types::FileDescriptorSet;

use crate::descriptors::DescriptorSet;
use crate::{Server, Sources, comments, debug_redact, names};

/// Generates types and stubs by package.
pub(crate) fn generate(
    set: &DescriptorSet,
    out: &Path,
    server: Server,
) -> Result<Sources, Box<dyn Error>> {
    let folder = out.join("prost");
    // Removes the files of packages that no longer exist.
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;

    let mut config = prost_build::Config::new();
    config.compile_well_known_types();
    config
        .enable_type_names()
        .type_name_domain(["."], "type.googleapis.com")
        .bytes(["."])
        .btree_map(["."]);
    let mut redacted = Vec::new();
    for message in set.pool.all_messages() {
        if debug_redact::has_secrets(&message)? {
            redacted.push(format!(".{}", message.full_name()));
        }
    }
    config.skip_debug(redacted);
    let mut builder = tonic_prost_build::configure()
        .compile_well_known_types(true)
        .out_dir(&folder)
        .build_server(server != Server::No);
    if server == Server::Feature {
        builder = builder.server_mod_attribute(".", "#[cfg(feature = \"server\")]");
    }
    for (proto, rust) in extern_paths(set) {
        builder = builder.extern_path(proto, rust);
    }
    let mut files = FileDescriptorSet::decode(set.encoded.as_slice())?;
    comments::document(&mut files);
    builder.compile_fds_with_config(files, config)?;

    let mut sources = Sources::new();
    for file in set.files() {
        let package = file.package_name().to_owned();
        let path = folder.join(format!("{}.rs", names::module_parts(&package).join(".")));
        // A file without messages, enums and services generates no code.
        if path.exists() && !sources.contains_key(&package) {
            sources.insert(package, std::fs::read_to_string(path)?);
        }
    }
    Ok(sources)
}

/// Returns the Rust paths of types that are generated elsewhere. The longest prefix wins.
pub(crate) fn extern_paths(set: &DescriptorSet) -> Vec<(String, String)> {
    let well_known = names::WELL_KNOWN
        .iter()
        .map(|name| (format!(".{}.{name}", names::PROTOBUF), names::well_known_path(name)));
    let imported = set.imported_packages().into_iter().map(|package| {
        let rust = names::package_path(&package, names::ESET_PROTECT);
        (format!(".{package}"), rust)
    });
    // The rest of the package, such as descriptor.proto, is never generated.
    let rest = (format!(".{}", names::PROTOBUF), "::prost_types".to_owned());
    [rest].into_iter().chain(well_known).chain(imported).collect()
}
