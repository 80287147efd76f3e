//! A file with a login. Errors name lines and never show what is in them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Login;
use crate::failure::Failure;
use crate::input;

/// More than any token has.
const MAX_SIZE: usize = 64 * 1024;

const EXPECTED: &str = "expected username=… and password=…, or token=… alone";

/// Reads the file that a flag or a variable names.
pub fn read(name: &str, path: &Path) -> Result<Login, Failure> {
    let wrong = |problem: &str| Failure::Input(format!("{name} {}: {problem}", path.display()));
    let file = File::open(path).map_err(|error| wrong(&error.to_string()))?;
    check_private(&file).map_err(|problem| wrong(&problem))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_SIZE).unwrap_or(u64::MAX).saturating_add(1);
    let read = file.take(limit).read_to_end(&mut bytes);
    read.map_err(|error| wrong(&error.to_string()))?;
    if bytes.len() > MAX_SIZE {
        return Err(wrong("expected at most 64 KiB"));
    }
    let text = input::decode(&bytes).map_err(|problem| wrong(&problem))?;
    parse(&text).map_err(|problem| wrong(&problem))
}

/// Refuses a file that is open to others.
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

/// Other systems keep permissions elsewhere.
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
            return Err(format!("line {line_number}: {key} is there twice"));
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
