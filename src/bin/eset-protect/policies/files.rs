//! Policies in files and in the tenant.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use eset_protect::Client;
use eset_protect::policy::{AssignmentFile, PolicyFile, Settings, Target};
use eset_protect::policy_management::v2::{FeaturePolicy, Policy};
use eset_protect::rollout::Tenant;

use crate::failure::Failure;
use crate::input;

/// Reads a policy from a file: YAML or JSON as `policies export` writes it, or a Web Console export.
pub fn read(flag: &str, path: &Path) -> Result<PolicyFile, Failure> {
    let content = input::read(flag, path)?;
    let wrong = |what: String| Failure::Input(format!("{flag} {}: {what}", path.display()));
    if let Ok(settings) = Settings::read(&content) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let product = settings.product.unwrap_or_default();
        let policy = Policy {
            display_name: name.into_owned(),
            features: vec![FeaturePolicy::product(product, settings.data)],
            ..Policy::default()
        };
        return Ok(PolicyFile::from_policy(&policy));
    }
    let text = String::from_utf8(content).map_err(|error| wrong(error.to_string()))?;
    // JSON is read as JSON, since YAML would change its numbers.
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text).map_err(|error| wrong(error.to_string()));
    }
    serde_norway::from_str(&text).map_err(|error| wrong(error.to_string()))
}

/// Reads all files of a folder that end with .yaml, .yml or .json.
pub fn read_folder(folder: &Path) -> Result<Vec<PolicyFile>, Failure> {
    let wrong = |error| Failure::Input(format!("{}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let is_policy = |end: &std::ffi::OsStr| ["yaml", "yml", "json"].iter().any(|e| end == *e);
        if path.extension().is_some_and(is_policy) {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read("", path)).collect()
}

/// A policy by its UUID in the tenant, or in a file.
pub async fn find(client: &Client, policy: &str) -> Result<PolicyFile, Failure> {
    let path = PathBuf::from(policy);
    if policy == "-" || path.is_file() {
        return read("", &path);
    }
    Ok(PolicyFile::from_policy(&client.policies().get_policy(policy).await?))
}

/// The file of a policy with its assignments.
pub fn with_assignments(tenant: &Tenant, policy: &Policy) -> PolicyFile {
    let of = tenant.assignments.iter().filter(|a| a.policy_uuid == policy.uuid);
    let assignments = of.filter_map(|assignment| {
        let target = Target::of(assignment.target.as_ref())?;
        Some(AssignmentFile { target, rank: Some(assignment.rank) })
    });
    let assignments = assignments.collect();
    PolicyFile { assignments, ..PolicyFile::from_policy(policy) }
}

/// Writes a file that only its owner can read, since policies may contain secrets. An interruption leaves the
/// old file or the new one.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        let mut file = options.open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|error| Failure::io(&path.display().to_string(), &error))
}
