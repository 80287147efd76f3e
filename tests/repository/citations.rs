//! The documentation cites only sections and files that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rustdoc cites sections of the facts page as `facts#section`, other files as `FACTS.md#section`.
const MARKS: [&str; 2] = ["facts#", "FACTS.md#"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns every text file of the repository that may contain citations.
fn files() -> Vec<PathBuf> {
    let mut files = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    let mut left: Vec<_> = ["benches", "build", "examples", "proto", "src", "tests"]
        .iter()
        .map(|name| root().join(name))
        .collect();
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                left.push(path);
            } else if path
                .extension()
                .is_some_and(|e| ["md", "proto", "rs"].iter().any(|x| e == *x))
            {
                files.push(path);
            }
        }
    }
    files.retain(|path| !path.ends_with("tests/repository/citations.rs"));
    files
}

/// Returns the sections of a page as link anchors.
fn sections(page: &str) -> BTreeSet<String> {
    let titles = page.lines().filter_map(|line| {
        line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'))
    });
    titles
        .map(|title| title.to_lowercase().replace(' ', "-").replace(['`', '.', ','], ""))
        .collect()
}

#[test]
fn every_cited_section_exists() {
    let sections = sections(&fs::read_to_string(root().join("proto/FACTS.md")).unwrap());
    let mut cited = BTreeSet::new();
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        for mark in MARKS {
            for (at, _) in text.match_indices(mark) {
                let rest = &text[at + mark.len()..];
                let end =
                    rest.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(rest.len());
                let section = rest[..end].to_owned();
                assert!(sections.contains(&section), "{}: no section {section:?}", path.display());
                cited.insert(section);
            }
        }
    }
    assert!(cited.len() > 10, "{cited:?}");
}

/// Checks links to files in the pages that are part of the package.
#[test]
fn every_linked_file_exists_and_is_packaged() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let list = manifest.split("include = [").nth(1).unwrap().split(']').next().unwrap();
    let packaged: Vec<_> = list.split('"').filter_map(|entry| entry.strip_prefix('/')).collect();
    let mut links = 0;
    for page in
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "proto/README.md", "proto/FACTS.md"]
    {
        let page = root().join(page);
        let text = fs::read_to_string(&page).unwrap();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = page.parent().unwrap().join(target);
            assert!(path.exists(), "{}: {target} is not there", page.display());
            let path = path.strip_prefix(root()).unwrap();
            let is_packaged = packaged.iter().any(|entry| match entry.strip_suffix('*') {
                Some(beginning) => path.to_str().unwrap().starts_with(beginning),
                None => path.starts_with(entry),
            });
            assert!(is_packaged, "{}: {target} is not in the package", page.display());
            links += 1;
        }
    }
    assert!(links > 3);
}

/// Files of the repository that the text names: `tests/…`, `.ci/…`, `proto/…` and the like.
#[test]
fn every_named_file_exists() {
    let mut named = 0;
    let pages = ["CONTRIBUTING.md", "build/README.md"].map(|page| root().join(page));
    for path in files().into_iter().chain(pages.into_iter().filter(|page| page.exists())) {
        let text = fs::read_to_string(&path).unwrap();
        for span in text.split('`').skip(1).step_by(2) {
            let is_path = span.starts_with("tests/") || span.starts_with(".ci/");
            let whole = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if !is_path || !whole {
                continue;
            }
            let there = root().join(span).exists() || root().join(format!("{span}.rs")).exists();
            assert!(there, "{}: {span} does not exist", path.display());
            named += 1;
        }
    }
    assert!(named > 10, "{named}");
}
