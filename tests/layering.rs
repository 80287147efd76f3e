//! Who may know whom. Data flows client → call → {auth, transport} → {transcode, wkt, rpc, proto}, and a
//! module that looks upwards would turn that around.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that each module may name, itself aside. `codegen` and the root re-export for others.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("descriptors", &["proto"]),
    ("rpc", &["types"]),
    ("types", &["wkt"]),
    ("protojson", &["wkt"]),
    ("wkt", &["proto", "protojson", "types"]),
    ("params", &["automation", "policy_management", "proto", "wkt"]),
    ("policy", &[]),
    (
        "check",
        &[
            "automation",
            "params",
            "policy",
            "policy_management",
            "proto",
            "protojson",
            "types",
            "wkt",
        ],
    ),
    ("error", &["proto", "rpc", "wkt"]),
    ("transcode", &["protojson", "rpc", "types", "wkt"]),
    ("text", &[]),
    ("timer", &[]),
    ("backoff", &[]),
    ("pending", &["error"]),
    ("telemetry", &["error", "rpc", "timer"]),
    ("rate_limiter", &["error", "timer"]),
    (
        "transport",
        &[
            "error",
            "proto",
            "protojson",
            "rate_limiter",
            "rpc",
            "telemetry",
            "timer",
            "transcode",
            "wkt",
        ],
    ),
    ("auth", &["backoff", "error", "pending", "telemetry", "timer", "transcode", "transport"]),
    (
        "call",
        &[
            "auth",
            "backoff",
            "error",
            "pending",
            "proto",
            "rate_limiter",
            "rpc",
            "telemetry",
            "timer",
            "transcode",
            "transport",
        ],
    ),
    (
        "client",
        &[
            "auth",
            "backoff",
            "call",
            "error",
            "proto",
            "rate_limiter",
            "rpc",
            "text",
            "timer",
            "transport",
            "wkt",
        ],
    ),
    ("server", &["proto", "protojson", "rpc", "transcode", "types", "wkt"]),
    (
        "emulator",
        &[
            "automation",
            "check",
            "code_name",
            "descriptors",
            "params",
            "policy_management",
            "proto",
            "protojson",
            "rpc",
            "server",
            "transcode",
            "types",
            "wkt",
        ],
    ),
];

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

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The names behind `crate::`, outside comments and links of the documentation.
fn known_to(text: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let code: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split_once('}').map_or(list, |(list, _)| list);
                known.extend(list.split(',').map(first_name).filter(|name| !name.is_empty()));
            }
            None => drop(known.insert(first_name(rest))),
        }
    }
    known
}

fn first_name(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Each file of the command can be read after those that it uses.
#[test]
fn the_command_has_no_circles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/eset-protect");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let module = |file: &PathBuf| {
        let path = file.strip_prefix(&root).expect("below the root").with_extension("");
        path.iter().map(|part| part.to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let modules: BTreeSet<_> = files.iter().map(module).collect();
    let mut left: Vec<_> = files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).expect("a source file");
            (module(file), used_modules(&text, &module(file), &modules))
        })
        .collect();
    loop {
        let waiting: BTreeSet<_> = left.iter().map(|(module, _)| module.clone()).collect();
        let before = left.len();
        left.retain(|(_, used)| used.iter().any(|used| waiting.contains(used)));
        if left.len() == before {
            break;
        }
    }
    let circles: Vec<_> = left.iter().map(|(module, _)| module.join("::")).collect();
    assert!(circles.is_empty(), "in circles, or using one: {}", circles.join(", "));
}

/// The modules whose items a file names by `crate::` or `super::`.
fn used_modules(
    text: &str,
    module: &[String],
    modules: &BTreeSet<Vec<String>>,
) -> BTreeSet<Vec<String>> {
    let code: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    // Tests inside of a file may name what they test.
    let code = code.join("\n");
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let parent = &module[..module.len() - 1];
    let mut used = BTreeSet::new();
    for (start, base) in [("crate::", &[][..]), ("super::", parent)] {
        for (at, _) in code.match_indices(start) {
            let (base, rest) = match code[at + start.len()..].strip_prefix("super::") {
                Some(rest) => (&base[..base.len() - 1], rest),
                None => (base, &code[at + start.len()..]),
            };
            let names: Vec<_> = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or_default().split(',').collect(),
                None => vec![rest],
            };
            for name in names {
                let mut path = base.to_vec();
                for part in name.trim().split("::").map(first_name) {
                    path.push(part);
                    if !modules.contains(&path) {
                        path.pop();
                        break;
                    }
                }
                if path != module && modules.contains(&path) {
                    used.insert(path);
                }
            }
        }
    }
    used
}
