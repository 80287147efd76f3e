//! What is read: files and standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use eset_protect::protojson::Reader;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;

/// More than any message may have, and not enough to exhaust the memory by mistake.
const MAX_SIZE: u64 = 64 * 1024 * 1024;

/// Reads what a flag names; `-` is standard input.
pub fn read(flag: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() == "-" {
        return read_to_end("standard input", io::stdin().lock());
    }
    read_file(flag, path)
}

/// Reads the file that a flag names.
pub fn read_file(flag: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    let what = format!("{flag} {}", path.display());
    let file = File::open(path).map_err(|error| Failure::Input(format!("{what}: {error}")))?;
    read_to_end(&what, file)
}

/// Reads standard input.
pub fn read_stdin() -> Result<Vec<u8>, Failure> {
    read_to_end("standard input", io::stdin().lock())
}

fn read_to_end(what: &str, reader: impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_SIZE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::Input(format!("{what}: {error}")))?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(Failure::Input(format!(
            "{what}: expected at most {} MiB",
            MAX_SIZE / 1024 / 1024
        )));
    }
    Ok(bytes)
}

/// Reads a request from the JSON file that `--file` names. `member` is the one that it is about, such
/// as `task`.
///
/// Members that the schema does not have are refused, since gRPC cannot carry them and they would be
/// lost without a word; inside an `Any` they are kept, so there they are fine.
pub fn read_request<M: DeserializeOwned>(path: &Path, member: &str) -> Result<M, Failure> {
    let bytes = read("--file", path)?;
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::Input(format!("--file {}: {error}", path.display()))
    };
    let request: M = Reader::new().read(&bytes).map_err(|error| wrong(&error))?;
    let mut value: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(&error))?;
    if value.get(member).is_none() {
        return Err(wrong(&format!(
            "expected {{\"{member}\": {{…}}}}, as ESET's API takes it and as `create` and `get` print \
             it; a bare {member} must be put into the member `{member}`"
        )));
    }
    remove_anys(&mut value);
    let rest = value.to_string();
    Reader::new().strict(true).read::<M>(rest.as_bytes()).map_err(|error| {
        // Line and column would be those of `rest`.
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
        wrong(&message)
    })?;
    Ok(request)
}

/// Takes out every object with an `@type`.
fn remove_anys(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| member.get("@type").is_none());
            members.values_mut().for_each(remove_anys);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_anys),
        _ => {}
    }
}
