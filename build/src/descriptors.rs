//! Compiles `.proto` files with protox, without protoc.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};

use prost_reflect::{DescriptorPool, FieldDescriptor, FileDescriptor, OneofDescriptor};

use crate::{features, names};

/// The file of `google.rpc.Status`, which `eset_protect` contains.
const STATUS_FILE: &str = "google/rpc/status.proto";

/// The compiled `.proto` files.
pub(crate) struct DescriptorSet {
    /// The encoded set, including imports, comments and options such as the HTTP rules.
    pub encoded: Vec<u8>,
    /// The same as descriptors.
    pub pool: DescriptorPool,
    /// The names of the files to generate code for.
    own_files: Vec<String>,
    /// The module of their packages.
    root: &'static str,
}

impl DescriptorSet {
    /// Returns the files to generate code for, in a fixed order.
    pub(crate) fn files(&self) -> impl Iterator<Item = FileDescriptor> + '_ {
        self.own_files.iter().filter_map(|name| self.pool.get_file_by_name(name))
    }

    /// Whether to generate code for a file.
    pub(crate) fn is_own(&self, file: &FileDescriptor) -> bool {
        self.own_files.iter().any(|own| own == file.name())
    }

    /// Returns the imported packages whose code is in `eset_protect`.
    pub(crate) fn imported_packages(&self) -> BTreeSet<String> {
        let imported = self.pool.files().filter(|file| !self.is_own(file));
        let packages = imported.map(|file| file.package_name().to_owned());
        packages.filter(|package| package != names::PROTOBUF).collect()
    }

    /// Returns the module that contains a package.
    pub(crate) fn root_of(&self, package: &str) -> &'static str {
        // All of `eset_protect` itself is in one.
        let is_own = self.root == names::ESET_PROTECT
            || self.files().any(|file| file.package_name() == package);
        if is_own { self.root } else { names::ESET_PROTECT }
    }
}

/// Compiles the files below `protos`: every one, or only those of the services whose `is_on` feature
/// is. Searches imports there and in `imports`.
pub(crate) fn compile(
    protos: &Path,
    imports: &[PathBuf],
    is_on: Option<fn(&str) -> bool>,
) -> Result<DescriptorSet, Box<dyn Error>> {
    let mut own_files = Vec::new();
    collect(protos, protos, &mut own_files)?;
    own_files.sort();
    let set = compile_files(protos, imports, &own_files)?;
    let Some(is_on) = is_on else { return Ok(DescriptorSet { own_files, ..set }) };

    let selected = features::select(&set.pool, &own_files, is_on)?;
    let set = compile_files(protos, imports, &selected)?;
    // What a selected file imports has its code generated too.
    own_files.retain(|name| set.pool.get_file_by_name(name).is_some());
    Ok(DescriptorSet { own_files, ..set })
}

fn compile_files(
    protos: &Path,
    imports: &[PathBuf],
    names: &[String],
) -> Result<DescriptorSet, Box<dyn Error>> {
    let folders = [protos].into_iter().chain(imports.iter().map(PathBuf::as_path));
    let mut compiler = protox::Compiler::new(folders)?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(names.iter().map(|name| protos.join(name)))?;
    // Every RPC may fail with it over HTTP.
    compiler.open_file(imports.first().map_or(protos, PathBuf::as_path).join(STATUS_FILE))?;
    let encoded = compiler.encode_file_descriptor_set();
    let pool = DescriptorPool::decode(encoded.as_slice())?;
    let root = if imports.is_empty() { names::ESET_PROTECT } else { "crate::proto" };
    Ok(DescriptorSet { encoded, pool, own_files: Vec::new(), root })
}

/// Collects the names of the `.proto` files below `folder`, relative to `root`, with `/` on every
/// platform.
fn collect(root: &Path, folder: &Path, names: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, names)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            let parts: Vec<_> = path
                .strip_prefix(root)?
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect();
            names.push(parts.join("/"));
        }
    }
    Ok(())
}

/// Returns the oneof of a field, except the synthetic oneof of `optional`.
pub(crate) fn oneof_of(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}
