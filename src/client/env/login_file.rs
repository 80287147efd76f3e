//! Reads a file with a login. Errors contain a line number but never the contents.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::login::Login;
use crate::text;

/// The maximum size; more than any token needs.
const MAX_SIZE: usize = 64 * 1024;

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

/// Refuses a file that others can read or write.
#[cfg(unix)]
fn check_private(file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(|error| error.to_string())?.permissions().mode() & 0o777;
    if mode & 0o066 != 0 {
        return Err(format!(
            "others can read or write it (its mode is {mode:03o}); `chmod 600` keeps it to you"
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
    let (mut username, mut password, mut token) = (None, None, None);
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let line_number = index + 1;
        let expected = "expected username=…, password=… or token=…";
        let (key, value) =
            line.split_once('=').ok_or_else(|| format!("line {line_number}: {expected}"))?;
        let place = match key {
            "username" => &mut username,
            "password" => &mut password,
            "token" => &mut token,
            _ => return Err(format!("line {line_number}: {expected}")),
        };
        if value.is_empty() {
            return Err(format!("line {line_number}: {key} is empty"));
        }
        if place.replace(value.to_owned()).is_some() {
            return Err(format!("line {line_number}: {key} appears twice"));
        }
    }
    match (username, password, token) {
        (Some(username), Some(password), None) => {
            Ok(Login::Password { username, password: password.into() })
        }
        (None, None, Some(token)) => Ok(Login::Token(token.into())),
        (None, None, None) => Err(format!("it is empty; {EXPECTED}")),
        _ => Err(EXPECTED.to_owned()),
    }
}
