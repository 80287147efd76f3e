//! Reads bytes and text of limited size.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use eset_protect::codegen::decode_text as decode;

use crate::failure::Failure;

/// The maximum size: more than any message may have, but not enough to exhaust the memory. The help of the
/// flags mentions it.
const MAX_SIZE: u64 = 64 * 1024 * 1024;
/// Whether standard input was read: there is nothing more in it.
static IS_READ: AtomicBool = AtomicBool::new(false);

/// Reads the file named by a flag; `-` is standard input.
pub fn read(flag: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() == "-" {
        if IS_READ.swap(true, Ordering::Relaxed) {
            let what = "standard input is read already; expected `-` once";
            return Err(Failure::Input(format!("{flag} -: {what}").trim_start().to_owned()));
        }
        return read_to_end("standard input", io::stdin().lock());
    }
    let what = format!("{flag} {}", path.display());
    let what = what.trim_start();
    let file = File::open(path).map_err(|error| Failure::Input(format!("{what}: {error}")))?;
    read_to_end(what, file)
}

/// Reads the text file named by a flag; `-` is standard input.
pub fn read_text(flag: &str, path: &Path) -> Result<String, Failure> {
    decode(&read(flag, path)?)
        .map_err(|problem| Failure::Input(format!("{flag} {}: {problem}", path.display())))
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
