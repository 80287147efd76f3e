//! The parts of the build script, in the order in which they run.
//!
//! `descriptors` compiles the `.proto` files without protoc; everything else reads what it made:
//! `services` (which services there are and what they are called), `messages` (prost types and bare
//! tonic stubs), `protojson` (their JSON form), `types` (which message types there are) and `rpcs`
//! (which RPCs there are). Each part returns Rust source by
//! package or as a whole; `modules` lays it out as one file with the packages as modules. `openapi`
//! describes the HTTP form of the RPCs for others.
//!
//! A package outside this crate can use the same parts to add services of its own: see
//! `tests/added_service`.

// `tests/added_service` compiles these files too, with other entry points in use.
#![allow(dead_code)]

mod backends;
mod comments;
mod descriptors;
mod field_behavior;
mod fields;
mod http_rules;
mod json;
mod messages;
mod modules;
mod names;
mod openapi;
mod protojson;
mod rpcs;
mod services;
mod types;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Rust source by protobuf package.
type Sources = BTreeMap<String, String>;

/// What to generate.
pub struct Generator {
    /// The folder of `.proto` files to generate code for.
    protos: PathBuf,
    /// Folders of files that those import and that have their code in `eset_protect` already.
    imports: Vec<PathBuf>,
    /// This crate itself, whose `Client` gets a method per service.
    own: bool,
}

impl Generator {
    /// Generates the code of `eset_protect` itself.
    pub fn this_crate(protos: impl Into<PathBuf>) -> Self {
        Self { protos: protos.into(), imports: Vec::new(), own: true }
    }

    /// Generates services beside `eset_protect`, whose own `.proto` files lie in `imports`.
    pub fn added(protos: impl Into<PathBuf>, imports: impl Into<PathBuf>) -> Self {
        Self { protos: protos.into(), imports: vec![imports.into()], own: false }
    }

    /// The module that holds the packages.
    fn root(&self) -> &'static str {
        if self.own { "::eset_protect::proto" } else { "crate::proto" }
    }

    /// Writes `proto.rs`, `types.rs`, `rpcs.rs`, `handles.rs`, `backends.rs`, `descriptors.bin` and
    /// `openapi.json` to `OUT_DIR`.
    pub fn run(&self) -> Result<(), Box<dyn Error>> {
        let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
        println!("cargo:rerun-if-changed=build.rs");
        for folder in self.imports.iter().chain([&self.protos]) {
            println!("cargo:rerun-if-changed={}", folder.display());
        }
        let set = descriptors::compile(&self.protos, &self.imports)?;
        std::fs::write(out.join("descriptors.bin"), &set.encoded)?;

        let services = services::of(&set)?;
        let mut sources = messages::generate(&set, &out)?;
        protojson::generate(&set, self.root(), &mut sources)?;
        let types = types::generate(&set, self.root(), self.own);
        let rpcs = rpcs::generate(&set, &services, self.root(), self.own)?;
        let backends = backends::generate(&services, self.root());
        let examples = openapi::Examples::of(&self.protos.join("examples"));
        let openapi = openapi::generate(&set, &services, &examples)?;
        std::fs::write(out.join("openapi.json"), openapi)?;
        write_formatted(&out.join("proto.rs"), &modules::nest(sources))?;
        write_formatted(&out.join("types.rs"), &types)?;
        write_formatted(&out.join("rpcs.rs"), &rpcs.list)?;
        write_formatted(&out.join("backends.rs"), &backends)?;
        write_formatted(&out.join("handles.rs"), &rpcs.handles)
    }
}

fn write_formatted(path: &Path, source: &str) -> Result<(), Box<dyn Error>> {
    let file = syn::parse_file(source).map_err(|error| {
        let place = error.span().start();
        let line = source.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
        format!("generated code for {}: {error} in `{}`", path.display(), line.trim())
    })?;
    std::fs::write(path, prettyplease::unparse(&file))?;
    Ok(())
}
