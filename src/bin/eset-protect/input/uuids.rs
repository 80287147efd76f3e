//! Reads UUIDs, one per line.

use std::collections::HashSet;
use std::path::Path;

use super::file::read_text;
use crate::failure::Failure;

/// Reads the UUIDs in the file named by a flag; `-` is standard input. Ignores empty lines and duplicates.
pub fn read_uuids(flag: &str, path: &Path) -> Result<Vec<String>, Failure> {
    let text = read_text(flag, path)?;
    let wrong = |number: usize, problem: &str| {
        Failure::Input(format!("{flag} {}: line {number}: {problem}", path.display()))
    };
    let mut uuids = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let uuid = line.trim();
        if !uuid.bytes().all(is_of_uuid) {
            return Err(wrong(number, &format!("expected a uuid and nothing else, found {uuid}")));
        }
        if !uuid.is_empty() {
            uuids.push(uuid.to_owned());
        }
    }
    Ok(each_once(uuids))
}

/// Quotes and braces come from unparsed JSON; spaces from table columns.
fn is_of_uuid(byte: u8) -> bool {
    byte.is_ascii_graphic() && !br#""'`{}[],;"#.contains(&byte)
}

/// Removes duplicates.
pub fn each_once(uuids: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    uuids.into_iter().filter(|uuid| seen.insert(uuid.clone())).collect()
}
