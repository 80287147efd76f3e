//! A folder of policies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eset_protect::policy::{AssignmentFile, PolicyFile, Target};
use eset_protect::rollout::{Plan, PlanError, Tenant};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::files::parse;
use crate::failure::{self, Failure};
use crate::input;
use crate::say::say;

const EXPECTED: &str = "files that end with .yaml, .yml or .json";
/// How many names of files are said.
const MAX_SHOWN: usize = 10;

/// The policies in a folder, and where each is.
#[derive(Default)]
#[allow(missing_debug_implementations, reason = "settings may be secret")]
pub struct Folder {
    pub files: Vec<PolicyFile>,
    paths: BTreeMap<String, PathBuf>,
}

impl Folder {
    /// Reads all files of a folder, and of the folders in it, that end with .yaml, .yml or .json. A folder without any
    /// is refused, since with `--prune` it would delete every policy.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let walk = Walk::of(folder)?;
        let mut read = Self::default();
        for path in walk.found {
            let content = input::read("", &path)?;
            if is_plan(&content) {
                say(&format!("{}: passed over, a saved plan or a journal", path.display()));
                continue;
            }
            let file = parse("", &path, &content)?;
            if let Some(other) = read.paths.get(&file.name) {
                let (other, path, name) = (other.display(), path.display(), &file.name);
                let problem = format!("{other} and {path} have the same name, {name:?}");
                return Err(Failure::Input(problem));
            }
            read.paths.insert(file.name.clone(), path);
            read.files.push(file);
        }
        if read.files.is_empty() {
            return Err(input::wrong("", folder, &format!("expected {EXPECTED}, found none")));
        }
        say_passed_over(&walk.passed_over);
        Ok(read)
    }

    /// Puts the file of a policy before a problem of it.
    pub fn place(&self, policy: &str, problem: &str) -> String {
        match self.paths.get(policy) {
            Some(path) => format!("{}: {problem}", path.display()),
            None => problem.to_owned(),
        }
    }

    /// Puts the first file whose policy is assigned to this target before a problem of the target.
    pub fn place_of(&self, is_it: impl Fn(&Target) -> bool, problem: &str) -> String {
        let assigns = |file: &&PolicyFile| file.assignments.iter().any(|it| is_it(&it.target));
        let file = self.files.iter().find(assigns);
        file.map_or_else(|| problem.to_owned(), |file| self.place(&file.name, problem))
    }

    /// Says why there is no plan.
    pub fn failure(&self, error: &PlanError) -> Failure {
        let problem = error.to_string();
        match error {
            PlanError::NoName => {
                let name = self.paths.keys().find(|name| name.trim().is_empty());
                Failure::Input(self.place(name.map_or("", String::as_str), &problem))
            }
            PlanError::Ambiguous(name, _) => Failure::Explained {
                exit_code: failure::INPUT,
                message: self.place(name, &problem),
                hints: vec![
                    "`eset-protect policies diff UUID UUID` compares them, and `policies delete UUID` deletes \
                     one; an interrupted `apply` leaves them, too, and its journal has the way out"
                        .to_owned(),
                ],
            },
            PlanError::SameRank(_, _, names) => {
                let paths = names.iter().filter_map(|name| self.paths.get(name));
                let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
                Failure::Input(format!("{}: {problem}", paths.join(" and ")))
            }
            PlanError::BuiltIn(name)
            | PlanError::SameTarget(name, _)
            | PlanError::Target(name, ..)
            | PlanError::File(name, _) => Failure::Input(self.place(name, &problem)),
            _ => Failure::Input(problem),
        }
    }

    /// Says which ranks are beyond the end of a target.
    pub fn say_last(&self, plan: &Plan) {
        for file in &self.files {
            for AssignmentFile { target, rank, .. } in &file.assignments {
                let count = plan.count_on(target);
                if let Some(rank) =
                    rank.filter(|rank| u32::try_from(count).is_ok_and(|n| *rank > n))
                {
                    let what =
                        format!("rank {rank} on {target}: its rank there is {count}, the last");
                    say(&self.place(&file.name, &what));
                }
            }
        }
    }

    /// Says which files look like policies of a tenant under new names.
    pub fn say_renamed(&self, tenant: &Tenant, prune: bool) {
        let is_free = |name: &str| !tenant.policies.iter().any(|p| p.display_name == name);
        for file in self.files.iter().filter(|file| is_free(&file.name)) {
            let Ok(policy) = file.to_policy() else { continue };
            let old = tenant.policies.iter().find(|old| {
                !old.built_in
                    && !self.paths.contains_key(&old.display_name)
                    && !old.features.is_empty()
                    && old.features == policy.features
            });
            let Some(old) = old else { continue };
            let left = if prune { "is deleted" } else { "stays; --prune deletes it" };
            say(&format!(
                "{:?} looks like {:?} under a new name: it is created anew, and {} {left}",
                file.name, old.display_name, old.uuid
            ));
        }
    }
}

/// What a folder contains.
#[derive(Default)]
pub struct Walk {
    seen: BTreeSet<PathBuf>,
    /// The files that may be policies.
    pub found: Vec<PathBuf>,
    passed_over: Vec<PathBuf>,
}

impl Walk {
    pub fn of(folder: &Path) -> Result<Self, Failure> {
        let mut walk = Self::default();
        walk.folder(folder)?;
        Ok(walk)
    }

    fn folder(&mut self, folder: &Path) -> Result<(), Failure> {
        let io = |error: io::Error| input::wrong("", folder, &error);
        // A link may lead back to a folder above it.
        if !self.seen.insert(fs::canonicalize(folder).map_err(io)?) {
            return Ok(());
        }
        let entries = fs::read_dir(folder).map_err(io)?;
        let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
        let mut paths = paths.map_err(io)?;
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let has_end = path.extension().is_some_and(|end| {
                ["yaml", "yml", "json"].iter().any(|one| end.eq_ignore_ascii_case(one))
            });
            if name.starts_with('.') {
                self.passed_over.extend(has_end.then_some(path));
                continue;
            }
            let found = fs::metadata(&path).map_err(|error| input::wrong("", &path, &error))?;
            if found.is_dir() {
                self.folder(&path)?;
            } else if found.is_file() && has_end {
                self.found.push(path);
            } else {
                self.passed_over.push(path);
            }
        }
        Ok(())
    }
}

fn say_passed_over(paths: &[PathBuf]) {
    if paths.is_empty() {
        return;
    }
    say(&format!("passed over: {}; expected {EXPECTED} and are not hidden", names(paths)));
}

/// The names of files, not too many.
pub fn names(paths: &[PathBuf]) -> String {
    let names = paths.iter().take(MAX_SHOWN).map(|path| path.display().to_string());
    let mut names: Vec<_> = names.collect();
    if paths.len() > MAX_SHOWN {
        names.push(format!("{} more", paths.len() - MAX_SHOWN));
    }
    names.join(", ")
}

/// Whether this is what `plan --save` or `apply` writes.
fn is_plan(content: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Saved {
        #[serde(rename = "server")]
        _server: IgnoredAny,
        #[serde(rename = "plan")]
        _plan: IgnoredAny,
    }
    content.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<Saved>(content).is_ok()
}
