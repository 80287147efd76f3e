//! Reads a file with a login. Errors contain a line number but never the contents.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::login::{Login, token as token_of};
use crate::text;

/// The maximum size; more than any token needs.
const MAX_SIZE: usize = 64 * 1024;

pub(super) const MEMBERS: [&str; 3] = ["username", "password", "token"];
const EXPECTED: &str = "expected username=… and password=…, or token=… alone";

/// Reads a file. The error is the problem with it.
pub(super) fn read(path: &Path) -> Result<Login, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    check_private(&file)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_SIZE).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > MAX_SIZE {
        return Err("expected at most 64 KiB".to_owned());
    }
    parse(&text::decode(&bytes)?)
}

/// Refuses a file that others can read or write. The group of one that is root's may read it, as PostgreSQL allows for
/// its keys: containers get secrets like that (`fsGroup` in Kubernetes).
#[cfg(unix)]
fn check_private(file: &File) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    let (mode, is_of_root) = (metadata.mode() & 0o777, metadata.uid() == 0);
    if mode & (if is_of_root { 0o026 } else { 0o066 }) != 0 {
        let advice = if is_of_root { "`chmod 640`" } else { "`chmod 600`" };
        return Err(format!(
            "others can read or write it (its mode is {mode:03o}); {advice} keeps them out"
        ));
    }
    Ok(())
}

/// Other systems store permissions elsewhere.
#[cfg(not(unix))]
fn check_private(_file: &File) -> Result<(), String> {
    Ok(())
}

fn parse(text: &str) -> Result<Login, String> {
    let mut members = members(text)?;
    let [username, password, token] = MEMBERS.map(|key| members.remove(key));
    match (username, password, token) {
        (Some(username), Some(password), None) => {
            Ok(Login::Password { username, password: password.into() })
        }
        (None, None, Some(text)) => {
            let token = token_of(text).map_err(|problem| format!("token: {problem}"))?;
            Ok(Login::Token { token, source: None })
        }
        (None, None, None) => Err(format!("it is empty; {EXPECTED}")),
        _ => Err(EXPECTED.to_owned()),
    }
}

/// Returns what the lines say, by key.
pub(super) fn members(text: &str) -> Result<BTreeMap<&'static str, String>, String> {
    let mut members = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let line_number = index + 1;
        let expected = "expected username=…, password=… or token=…";
        let member = line.split_once('=').and_then(|(key, value)| {
            MEMBERS.into_iter().find(|known| *known == key).map(|key| (key, value))
        });
        let (key, value) = member.ok_or_else(|| format!("line {line_number}: {expected}"))?;
        if value.is_empty() {
            return Err(format!("line {line_number}: {key} is empty"));
        }
        if members.insert(key, value.to_owned()).is_some() {
            return Err(format!("line {line_number}: {key} appears twice"));
        }
    }
    Ok(members)
}
