//! Generates services for [`eset_protect`](https://docs.rs/eset-protect) from `.proto` files,
//! without protoc.
//!
//! Use it to add services to your own crate: client handles with the same deadlines, retries and
//! errors over gRPC and REST as `eset_protect` has, messages that implement prost's traits and
//! ProtoJSON, and backends for a REST front. You need three files.
//!
//! `Cargo.toml`:
//!
//! ```toml
//! [dependencies]
//! eset-protect = "0.1"
//! prost = "0.14"
//! serde = "1"
//! tonic = { version = "0.14", default-features = false, features = ["channel", "codegen"] }
//! tonic-prost = "0.14"
//!
//! [build-dependencies]
//! eset-protect-build = "0.1"
//! ```
//!
//! `build.rs`, if the folder `proto` contains the `.proto` files:
//!
//! ```no_run
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     eset_protect_build::Generator::new("proto").run()
//! }
//! ```
//!
//! `src/lib.rs` (the crate's root, because generated code refers to `crate::proto` and
//! `crate::rpc`):
//!
//! ```ignore
//! include!(concat!(env!("OUT_DIR"), "/services.rs"));
//! ```
//!
//! This adds the modules `proto` (messages and plain tonic stubs), `rpc` (a type per RPC), `client`
//! (a handle per service), `types` (for a `TypeRegistry`) and optionally `server`, and the
//! constants `FILE_DESCRIPTOR_SET` and `OPENAPI`.
//!
//! # Options in `.proto` files
//!
//! The files may import everything that `eset_protect` contains: `google/api/annotations.proto`,
//! `google/rpc` and ESET's own messages.
//!
//! | option | on | meaning |
//! |---|---|---|
//! | `google.api.http` | an RPC, required | the HTTP method and path template (AIP-127) |
//! | `idempotency_level` | an RPC | whether to repeat a call that may have run |
//! | `google.api.default_host` | a service | `eu.NAME.eset.systems`: the service's host in ESET's cloud |
//! | `google.api.field_behavior` | a field | `REQUIRED`, `OUTPUT_ONLY`, `IMMUTABLE` (AIP-203) |
//! | `google.api.resource` | a message | its type, pattern and names (AIP-123) |
//! | `debug_redact` | a field | a secret, which `Debug` shows as `[redacted]` |
//! | `eset_protect.v1.columns` | a message | the fields to show in a table |
//! | the others of `eset_protect/v1/annotations.proto` | files, methods, fields | described there: what the emulator does, and what On-Prem has |
//!
//! Files must have `syntax = "proto3"` and a `package`. RPCs must be unary. An RPC is a paged list (AIP-158) if it has
//! `page_size` (`int32` or `uint32`), `page_token` and `next_page_token`, and one list of messages in its response.
//! Code in comments becomes text in the documentation, since rustdoc would run it as Rust.
//!
//! # Names
//!
//! The modules of messages and RPCs are named after their packages, so names never collide across
//! packages. A service also has a short name: its own name, followed by the version for older
//! versions of a package, such as `detections_v1`, and preceded by parts of the package if several
//! packages have a service of that name. The module `rpc` has each service under its short name, unless that
//! is the first part of a package's name.
//!
//! A name that is a keyword of Rust is spelt as prost spells it: `r#type`, and `self_` for `self`. A few names are
//! refused, because the code that tonic generates for them does not compile: RPCs named like a function of its
//! clients, such as `Connect`, and, with [`server`](Generator::server), services named like a type that its servers
//! use, such as `Arc`. So are two declarations that would have the same name in Rust, such as the messages `FooBar` and
//! `Foo_Bar`.
//!
//! # How it works
//!
//! `descriptors` compiles the `.proto` files, for `eset_protect` itself only those of the services whose
//! `features` are on. The other modules read the result: `services` (the
//! services and their names), `messages` (prost types and tonic stubs), `protojson` (how to
//! write their JSON), `types` (how to read it, and the list of message types) and `rpcs` (the list of RPCs). They return Rust
//! source, per package or for all packages, and `modules` combines the packages into one file of
//! nested modules. `openapi` describes the HTTP form of the RPCs.

#![warn(unreachable_pub)]

mod backends;
mod checks;
mod codecs;
mod comments;
mod debug_redact;
mod descriptors;
mod doc;
mod exports;
mod features;
mod field_behavior;
mod http_rules;
mod json;
mod members;
mod messages;
mod modules;
mod names;
mod openapi;
mod options;
mod protojson;
mod rpcs;
mod rust_names;
mod services;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Rust source by protobuf package.
type Sources = BTreeMap<String, String>;

/// The environment variable with which `eset_protect`'s build script passes on the folder of its
/// `.proto` files (through `links` and `protos`).
const OWN_PROTOS: &str = "DEP_ESET_PROTECT_PROTOS";

/// The lints of the crate with the generated code that do not concern it.
const LINTS: &str = "warnings, closure_returning_async_block, missing_docs, unused_qualifications, \
                     unused_results, clippy::all, clippy::pedantic, clippy::nursery, \
                     clippy::restriction, clippy::cargo, rustdoc::all";

/// Generates the code of services in a build script.
#[derive(Clone, Debug)]
pub struct Generator {
    /// The folder of `.proto` files to generate code for.
    protos: PathBuf,
    server: Server,
    /// Whether this generates `eset_protect` itself, whose `Client` gets a method per service.
    own: bool,
}

/// Whether to generate server code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    No,
    Yes,
    /// If the crate's feature `server` is on.
    Feature,
}

impl Generator {
    /// Generates the services of every `.proto` file below `protos`, a folder relative to the package.
    pub fn new(protos: impl Into<PathBuf>) -> Self {
        Self { protos: protos.into(), server: Server::No, own: false }
    }

    /// Generates the code of `eset_protect` itself. Not for other crates.
    #[doc(hidden)]
    pub fn eset_protect(protos: impl Into<PathBuf>) -> Self {
        Self { protos: protos.into(), server: Server::Feature, own: true }
    }

    /// Also generates tonic's server stubs, and a backend per service for the REST front of
    /// `eset_protect`, which needs its feature `server`. Off by default.
    #[must_use]
    pub fn server(mut self, server: bool) -> Self {
        self.server = if server { Server::Yes } else { Server::No };
        self
    }

    /// Writes the code to `OUT_DIR`.
    ///
    /// # Errors
    ///
    /// Fails if a `.proto` file cannot be read or is invalid (the error names the file and line),
    /// if an RPC has no `google.api.http`, one with a variable that is no field, or is streaming, if a name
    /// cannot be generated, or if this does not run in the build script of a package that depends on
    /// `eset_protect`.
    pub fn run(&self) -> Result<(), Box<dyn Error>> {
        let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
        let imports = self.imports()?;
        println!("cargo:rerun-if-changed=build.rs");
        for folder in imports.iter().chain([&self.protos]) {
            println!("cargo:rerun-if-changed={}", folder.display());
        }
        self.write(&out, &imports)
    }

    /// Writes the code to a folder.
    fn write(&self, out: &Path, imports: &[PathBuf]) -> Result<(), Box<dyn Error>> {
        let is_on = self.own.then_some(features::is_on as fn(&str) -> bool);
        let set = descriptors::compile(&self.protos, imports, is_on)?;
        checks::check(&set, self.server != Server::No)?;
        std::fs::write(out.join("descriptors.bin"), comments::only(&set)?)?;

        let services = services::of(&set)?;
        let mut sources = messages::generate(&set, out, self.server)?;
        protojson::generate(&set, &mut sources)?;
        let types = types::generate(&set, self.own);
        let rpcs = rpcs::generate(&set, &services, self.own)?;
        let examples = openapi::Examples::of(&self.protos.join("examples"));
        let openapi = openapi::generate(&set, &services, &examples)?;
        std::fs::write(out.join("openapi.json"), openapi)?;
        write_formatted(&out.join("proto.rs"), &modules::nest(sources))?;
        write_formatted(&out.join("types.rs"), &types)?;
        write_formatted(&out.join("rpcs.rs"), &rpcs.list)?;
        write_formatted(&out.join("handles.rs"), &rpcs.handles)?;
        if self.server != Server::No {
            let backends = backends::generate(&set, &services, self.own);
            write_formatted(&out.join("backends.rs"), &backends)?;
        }
        if self.own {
            write_formatted(&out.join("exports.rs"), &exports::generate(&services))?;
        } else {
            std::fs::write(out.join("services.rs"), self.services())?;
        }
        Ok(())
    }

    /// Returns the folders of files to import whose code is already in `eset_protect`.
    fn imports(&self) -> Result<Vec<PathBuf>, String> {
        if self.own {
            return Ok(Vec::new());
        }
        println!("cargo:rerun-if-env-changed={OWN_PROTOS}");
        match std::env::var_os(OWN_PROTOS) {
            Some(folder) => Ok(vec![folder.into()]),
            None => Err(format!(
                "{OWN_PROTOS} is not set: run this in the build script of a package with \
                 `eset-protect` among its [dependencies]"
            )),
        }
    }

    /// Returns the modules for the user's crate to include.
    fn services(&self) -> String {
        let modules = [
            ("proto", "proto", "The messages and the plain stubs, by package."),
            ("rpc", "rpcs", "The RPCs."),
            ("client", "handles", "A handle per service."),
            ("types", "types", "The types for a `TypeRegistry`."),
            ("server", "backends", "Backends through which a REST front calls the services."),
        ];
        let wanted =
            modules.iter().filter(|(name, ..)| *name != "server" || self.server == Server::Yes);
        let modules = wanted.map(|(name, file, doc)| {
            format!(
                "/// {doc}\n#[allow({LINTS})]\npub mod {name} {{\n    include!(concat!(env!(\"OUT_DIR\"), \
                 \"/{file}.rs\"));\n}}\n\n"
            )
        });
        modules.collect::<String>()
            + "/// The compiled `.proto` files, an encoded `google.protobuf.FileDescriptorSet`.\n\
               pub const FILE_DESCRIPTOR_SET: &[u8] =\n    \
               include_bytes!(concat!(env!(\"OUT_DIR\"), \"/descriptors.bin\"));\n\n\
               /// The HTTP form of the RPCs as an `OpenAPI` document.\n\
               pub const OPENAPI: &str = include_str!(concat!(env!(\"OUT_DIR\"), \"/openapi.json\"));\n"
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
