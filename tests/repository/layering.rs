//! Who may know whom: modules name only modules below them, and no files name each other in a circle.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use imports::{code, has_word, is_word, uses};

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
    ("transcode", &["json", "protojson", "rpc", "wkt"]),
    ("text", &[]),
    ("framing", &[]),
    ("gzip", &[]),
    ("timer", &["pointers"]),
    ("backoff", &[]),
    ("single_flight", &["timer"]),
    ("pending", &["error"]),
    ("telemetry", &["error", "rpc", "timer"]),
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
fn a_circle_is_found_through_re_exports_and_lists() {
    let files = [
        ("lib.rs", "pub mod a;\nmod b;\npub use b::Deep as Shown;"),
        ("a.rs", "mod inner;\npub use inner::Inner;\n// crate::b::Comment\nstruct Own;"),
        ("a/inner.rs", "use crate::{\n    Shown,\n    b::{self, Other},\n};\npub struct Inner;"),
        ("b.rs", "fn f(inner: &super::a::Inner) {}\npub struct Deep;"),
    ];
    let files = Files::new(files.map(|(path, text)| (path.to_owned(), text.to_owned())), "lib.rs");
    assert_eq!(files.circles(), [["a/inner.rs", "b.rs", "a/inner.rs"]]);
    assert_eq!(files.named("a.rs"), BTreeSet::new(), "a re-export is no use");
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

/// The files of a crate by their paths from its root.
struct Files {
    root: &'static str,
    texts: BTreeMap<String, String>,
}

impl Files {
    fn read(folder: &Path, root: &'static str) -> Self {
        let mut paths = Vec::new();
        collect(folder, &mut paths);
        let files = paths.into_iter().filter_map(|path| {
            let name = path.strip_prefix(folder).expect("a file below").to_string_lossy();
            // The command is a crate of its own.
            let is_code = name.ends_with(".rs") && !name.starts_with("bin/");
            is_code.then(|| (name.into_owned(), fs::read_to_string(&path).expect("a source file")))
        });
        Self::new(files, root)
    }

    fn new(files: impl IntoIterator<Item = (String, String)>, root: &'static str) -> Self {
        let texts = files.into_iter().map(|(path, text)| (path, code(&text)));
        Self { root, texts: texts.collect() }
    }

    /// The file of a module.
    fn file(&self, module: &[String]) -> Option<&str> {
        let name = format!("{}.rs", module.join("/"));
        let name = if module.is_empty() { self.root } else { &name };
        self.texts.get_key_value(name).map(|(name, _)| name.as_str())
    }

    fn module(&self, file: &str) -> Vec<String> {
        let name = file.trim_end_matches(".rs");
        if file == self.root { Vec::new() } else { name.split('/').map(str::to_owned).collect() }
    }

    /// The file in which what a path names is, followed through re-exports.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<&str> {
        let mut module = from.to_vec();
        let mut rest = path;
        while let [first, more @ ..] = rest {
            match first.as_str() {
                "crate" => module.clear(),
                "super" => drop(module.pop()),
                "self" => {}
                name => {
                    let child = [module.as_slice(), &[name.to_owned()]].concat();
                    if self.file(&child).is_none() {
                        break;
                    }
                    module = child;
                }
            }
            rest = more;
        }
        let file = self.file(&module)?;
        let Some(name) = rest.first() else { return Some(file) };
        let uses = uses(&self.texts[file]);
        let target = uses.iter().find(|found| found.name == *name && found.path != path);
        match target {
            Some(found) if depth < 8 => {
                let target = [&found.path, &rest[1..]].concat();
                // What comes from another crate ends there.
                let is_here = matches!(target[0].as_str(), "crate" | "super" | "self")
                    || self.file(&[module.as_slice(), &target[..1]].concat()).is_some();
                if is_here { self.resolve(&module, &target, depth + 1) } else { None }
            }
            _ => Some(file),
        }
    }

    /// The files that a file names.
    fn named(&self, file: &str) -> BTreeSet<&str> {
        let text = &self.texts[file];
        let module = self.module(file);
        let uses = uses(text);
        let mut body = text.clone();
        for found in &uses {
            body = body.replace(&found.statement, "");
        }
        // A re-export alone is no use of what it names.
        let used = uses.iter().filter(|found| !found.is_public || has_word(&body, &found.name));
        let mut paths: Vec<_> = used.map(|found| found.path.clone()).collect();
        for (at, _) in body.match_indices("::") {
            let start = body[..at].rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
            // The beginning of a path only.
            if start < at && !body[..start].ends_with("::") {
                let end = body[at..]
                    .find(|c: char| !is_word(c) && c != ':')
                    .map_or(body.len(), |n| at + n);
                let path = body[start..end].split("::").filter(|part| !part.is_empty());
                paths.push(path.map(str::to_owned).collect());
            }
        }
        let is_here = |path: &&Vec<String>| {
            matches!(path[0].as_str(), "crate" | "super" | "self")
                || self.file(&[module.as_slice(), &path[..1]].concat()).is_some()
        };
        let named = paths.iter().filter(is_here);
        named
            .filter_map(|path| self.resolve(&module, path, 0))
            .filter(|named| *named != file && *named != self.root)
            .collect()
    }

    /// A way around each circle, from its first file and back to it.
    fn circles(&self) -> Vec<Vec<&str>> {
        let graph: BTreeMap<_, _> =
            self.texts.keys().map(|file| (file.as_str(), self.named(file))).collect();
        let mut in_circles = BTreeSet::new();
        let mut circles = Vec::new();
        for start in graph.keys().copied() {
            if in_circles.contains(start) {
                continue;
            }
            if let Some(circle) = way_back(&graph, start) {
                in_circles.extend(circle.iter().copied());
                circles.push(circle);
            }
        }
        circles
    }
}

/// The shortest way from a file back to itself.
fn way_back<'a>(
    graph: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    start: &'a str,
) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in &ways {
            for next in graph.get(way[way.len() - 1]).into_iter().flatten() {
                let way = [way.as_slice(), &[*next]].concat();
                if *next == start {
                    return Some(way);
                }
                if seen.insert(*next) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

/// Returns the names after `crate::`, outside comments and documentation links.
fn known_to(text: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let code = code(text);
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
