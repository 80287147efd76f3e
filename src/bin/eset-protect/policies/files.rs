//! Policies in files and in the tenant.

use std::fmt::Display;
use std::path::Path;

use eset_protect::Client;
use eset_protect::codegen::{decode_text, is_uuid};
use eset_protect::policy::{AssignmentFile, PolicyFile, Settings, Target};
use eset_protect::policy_management::v2::Policy;
use eset_protect::rollout::Tenant;
use serde_json::Value;

use crate::failure::{self, Failure};
use crate::input::{self, refuse_duplicates};
use crate::named::{Candidate, Named, unplaced};
use crate::whole_file::{self, Readers};
use crate::wording::read_json;
use crate::yaml;

/// Reads a policy from a file: YAML or JSON as `policies export` writes it, or a Web Console export.
pub fn read(flag: &str, path: &Path) -> Result<PolicyFile, Failure> {
    parse(flag, path, &input::read(flag, path)?)
}

/// Reads a policy from the content of a file.
pub fn parse(flag: &str, path: &Path, content: &[u8]) -> Result<PolicyFile, Failure> {
    let wrong = |what: &dyn Display| input::wrong(flag, path, what);
    if content.trim_ascii().is_empty() {
        return Err(wrong(&"expected a policy, found nothing"));
    }
    if let Ok(settings) = Settings::read(content) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(PolicyFile::from_settings(&name, &settings));
    }
    let text = decode_text(content).map_err(|problem| wrong(&problem))?;
    // JSON is read as JSON, since YAML would change its numbers.
    let read = match text.trim_start().starts_with('{') {
        true => refuse_duplicates(&text).map_err(|error| error.to_string()).and_then(|()| {
            let members = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            expect_no_null(&members)?;
            read_json(&text)
        }),
        false => yaml::documents(&text).and_then(|documents| {
            documents.iter().try_for_each(expect_no_null)?;
            yaml::read(&text)
        }),
    };
    read.map_err(|problem| wrong(&problem))
}

/// Refuses members that have no value: whether that means nothing, or what there is, is not for us to guess.
fn expect_no_null(document: &Value) -> Result<(), String> {
    find_null(document).map_or(Ok(()), |place| {
        let expected = "expected a value, found none; leave it out, or write [] or {} for none";
        Err(format!("{}: {expected}", place.trim_start_matches('.')))
    })
}

/// Returns the place of the first member that has no value.
fn find_null(value: &Value) -> Option<String> {
    let below = |(place, value): (String, &Value)| Some(place + &find_null(value)?);
    match value {
        Value::Null => Some(String::new()),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(at, value)| (format!("[{at}]"), value))
            .find_map(below),
        // What is in a configuration is ESET's.
        Value::Object(members) => members
            .iter()
            .filter(|(name, value)| *name != "configuration" || value.is_null())
            .map(|(name, value)| (format!(".{name}"), value))
            .find_map(below),
        _ => None,
    }
}

/// Whether this names a file rather than a policy of the tenant: also by its form, so that a mistyped path is no name.
pub fn is_file(policy: &str) -> bool {
    let ends = [".yaml", ".yml", ".json", ".dat"];
    let lower = policy.to_ascii_lowercase();
    policy == "-"
        || policy.contains(['/', '\\'])
        || ends.iter().any(|end| lower.ends_with(end))
        || Path::new(policy).is_file()
}

/// A policy by its name or UUID in the tenant, or in a file.
pub async fn find(client: Option<&Client>, policy: &str) -> Result<PolicyFile, Failure> {
    match client {
        Some(client) if !is_file(policy) => {
            let uuid = Named::Policy.uuid(client, policy).await?;
            Ok(PolicyFile::from_policy(&client.policies().get_policy(uuid).await?))
        }
        _ => read("", Path::new(policy)),
    }
}

/// Returns the policy of a tenant with this name or UUID.
pub fn of_tenant<'a>(tenant: &'a Tenant, policy: &str) -> Result<&'a Policy, Failure> {
    let all: Vec<_> = tenant.policies.iter().map(Candidate::from).collect();
    let uuid = match is_uuid(policy.as_bytes()) {
        true => policy.to_owned(),
        false => Named::Policy.choose(policy, &all, unplaced)?,
    };
    let found = tenant.policies.iter().find(|policy| policy.uuid == uuid);
    found.ok_or_else(|| Failure::Explained {
        exit_code: failure::NOT_FOUND,
        message: format!("there is no policy {uuid}"),
        hints: vec!["`eset-protect policies list` shows what there is".to_owned()],
    })
}

/// The file of a policy with its assignments.
pub fn with_assignments(tenant: &Tenant, policy: &Policy) -> PolicyFile {
    let of = tenant.assignments.iter().filter(|a| a.policy_uuid == policy.uuid);
    let assignments = of.filter_map(|assignment| {
        let target = Target::of(assignment.target.as_ref())?;
        Some(AssignmentFile::new(target, Some(assignment.rank)))
    });
    let mut file = PolicyFile::from_policy(policy);
    file.assignments = assignments.collect();
    file
}

/// Writes a file that only its owner can read, since policies may contain secrets.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    whole_file::write(path, content, Readers::Owner).map_err(Failure::file(path))
}
