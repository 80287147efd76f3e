//! The files of a crate, and which of them name which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::imports::{code, has_word, is_word, uses};

/// Collects the files in a folder and those below it.
pub fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
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
pub struct Files {
    root: &'static str,
    texts: BTreeMap<String, String>,
}

impl Files {
    pub fn read(folder: &Path, root: &'static str) -> Self {
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
    pub fn circles(&self) -> Vec<Vec<&str>> {
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
