//! Who may know whom: modules name only modules below them, and no files name each other in a circle.

mod files;
mod imports;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use files::{Files, collect};
use imports::known_to;

/// The modules from the ground up, each with the modules below it that it may name. `codegen` and the root
/// re-export for others.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("json", &["proto"]),
    ("wkt", &["json", "proto"]),
    ("protojson", &["json", "wkt"]),
    ("rpc", &["json"]),
    ("params", &["automation", "policy_management", "proto", "wkt"]),
    ("policy", &["params", "policy_management", "wkt"]),
    (
        "check",
        &[
            "automation",
            "incident_management",
            "network_access_protection",
            "params",
            "policy",
            "policy_management",
            "proto",
            "json",
            "wkt",
        ],
    ),
    ("filter", &["rpc", "wkt"]),
    ("descriptors", &["check", "filter", "proto", "wkt"]),
    ("metadata_form", &[]),
    ("headers", &["metadata_form"]),
    ("pointers", &[]),
    ("error", &["headers", "proto", "rpc", "wkt"]),
    ("warn_limit", &[]),
    ("transcode", &["json", "protojson", "rpc", "warn_limit", "wkt"]),
    ("text", &[]),
    ("framing", &[]),
    ("gzip", &[]),
    ("timer", &["pointers"]),
    ("backoff", &[]),
    ("single_flight", &["timer"]),
    ("pending", &["error"]),
    ("telemetry", &["error", "rpc", "timer", "warn_limit"]),
    ("rate_limiter", &["error", "timer"]),
    (
        "transport",
        &[
            "backoff",
            "error",
            "framing",
            "gzip",
            "headers",
            "metadata_form",
            "pointers",
            "proto",
            "protojson",
            "rate_limiter",
            "rpc",
            "single_flight",
            "telemetry",
            "timer",
            "transcode",
            "wkt",
        ],
    ),
    (
        "auth",
        &[
            "backoff",
            "error",
            "pending",
            "pointers",
            "single_flight",
            "telemetry",
            "timer",
            "transcode",
            "transport",
            "wkt",
        ],
    ),
    (
        "call",
        &[
            "auth",
            "backoff",
            "error",
            "filter",
            "headers",
            "metadata_form",
            "pending",
            "proto",
            "rate_limiter",
            "rpc",
            "single_flight",
            "telemetry",
            "timer",
            "transcode",
            "transport",
            "warn_limit",
            "wkt",
        ],
    ),
    (
        "client",
        &[
            "auth",
            "backoff",
            "call",
            "error",
            "headers",
            "proto",
            "rate_limiter",
            "rpc",
            "single_flight",
            "text",
            "timer",
            "transcode",
            "transport",
            "wkt",
        ],
    ),
    ("rollout", &["client", "device_management", "error", "params", "policy", "policy_management"]),
    (
        "server",
        &[
            "framing",
            "gzip",
            "headers",
            "metadata_form",
            "proto",
            "protojson",
            "rpc",
            "telemetry",
            "transcode",
            "wkt",
        ],
    ),
    (
        "serve",
        &[
            "call",
            "check",
            "client",
            "error",
            "headers",
            "json",
            "metadata_form",
            "proto",
            "rate_limiter",
            "rpc",
            "server",
            "telemetry",
            "timer",
            "transcode",
            "transport",
            "wkt",
            "warn_limit",
        ],
    ),
    (
        "emulator",
        &[
            "asset_management",
            "automation",
            "check",
            "code_name",
            "descriptors",
            "device_management",
            "iam",
            "incident_management",
            "installer_management",
            "mobile_device_management",
            "params",
            "policy_management",
            "proto",
            "protojson",
            "rpc",
            "server",
            "transcode",
            "vulnerability_management",
            "web_access_protection",
            "wkt",
        ],
    ),
];

/// Names of the root that are no modules: what it re-exports.
const RE_EXPORTED: &[&str] = &[
    "asset_management",
    "automation",
    "code_name",
    "device_management",
    "iam",
    "incident_management",
    "installer_management",
    "mobile_device_management",
    "network_access_protection",
    "policy_management",
    "vulnerability_management",
    "web_access_protection",
];

#[test]
fn the_table_goes_from_the_ground_up() {
    let mut below: BTreeSet<_> = RE_EXPORTED.iter().copied().collect();
    for (module, known) in MAY_KNOW {
        for known in *known {
            assert!(below.contains(known), "{module} may know {known}, which is not below it");
        }
        below.insert(module);
    }
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let library = Files::read(&src, "lib.rs");
    let command = Files::read(&src.join("bin/eset-protect"), "main.rs");
    let circles = library.circles().into_iter().chain(command.circles());
    let wrong: Vec<_> = circles.map(|circle| circle.join(" → ")).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nobody_looks_upwards() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (module, allowed) in MAY_KNOW {
        let mut files = vec![root.join(format!("{module}.rs"))];
        collect(&root.join(module), &mut files);
        for file in files.iter().filter(|file| file.exists()) {
            let text = fs::read_to_string(file).expect("a source file");
            for known in known_to(&text) {
                if known != *module && !allowed.contains(&known.as_str()) {
                    wrong.push(format!("{} knows {known}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let placed: BTreeSet<_> = MAY_KNOW.iter().map(|(module, _)| *module).collect();
    for entry in fs::read_dir(root).expect("src") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() && name != "lib" && name != "codegen" {
            assert!(placed.contains(name.as_str()), "{name} has no place among the layers");
        }
    }
}
