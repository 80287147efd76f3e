//! Reads bytes and text of limited size.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use eset_protect::codegen::decode_text as decode;
use eset_protect::protojson::Reader;
use eset_protect::wkt::Value;

use crate::failure::Failure;

/// The maximum size: more than any message may have, but not enough to exhaust the memory. The help of the
/// flags mentions it.
const MAX_SIZE: u64 = 64 * 1024 * 1024;
/// Whether standard input was read: there is nothing more in it.
static IS_READ: AtomicBool = AtomicBool::new(false);

/// A text, or the file that has it.
#[derive(Debug)]
pub enum Source {
    Text(String),
    File(PathBuf),
}

impl Source {
    /// Reads an argument: `@FILE`, `-` for standard input, or the text itself.
    pub fn of(argument: &str) -> Self {
        match argument.strip_prefix('@') {
            Some(path) => Self::File(path.into()),
            None if argument == "-" => Self::File(argument.into()),
            None => Self::Text(argument.to_owned()),
        }
    }

    /// Returns the text; `flag` names the file in errors.
    pub fn read(&self, flag: &str) -> Result<String, Failure> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => read_text(flag, path),
        }
    }
}

/// Returns the failure that something is wrong with a file, which a flag or nothing names.
pub fn wrong(flag: &str, path: &Path, problem: &dyn Display) -> Failure {
    let place = format!("{flag} {}", path.display());
    Failure::Input(format!("{}: {problem}", place.trim_start()))
}

/// Reads the file named by a flag; `-` is standard input.
pub fn read(flag: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |problem: &dyn Display| wrong(flag, path, problem);
    let content = if path.as_os_str() == "-" {
        if IS_READ.swap(true, Ordering::Relaxed) {
            return Err(wrong(&"standard input is read already; expected `-` once"));
        }
        read_to_end(io::stdin().lock())
    } else {
        File::open(path).and_then(read_to_end)
    };
    match content.map_err(|error| wrong(&error))? {
        content if content.len() as u64 > MAX_SIZE => {
            Err(wrong(&format!("expected at most {} MiB", MAX_SIZE / 1024 / 1024)))
        }
        content => Ok(content),
    }
}

/// Reads the text file named by a flag; `-` is standard input.
pub fn read_text(flag: &str, path: &Path) -> Result<String, Failure> {
    decode(&read(flag, path)?).map_err(|problem| wrong(flag, path, &problem))
}

/// Refuses JSON in which an object has a member twice, since one of the two would be lost.
pub fn refuse_duplicates(json: &str) -> serde_json::Result<()> {
    Reader::new().read::<Value>(json.as_bytes()).map(drop)
}

/// Reads a byte more than is allowed.
fn read_to_end(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
