//! Uuids, one a line.

use std::collections::HashSet;
use std::path::Path;

use super::file::read_text;
use crate::failure::Failure;

/// Reads the uuids from what a flag names; `-` is standard input. Empty lines are passed over, and one
/// that appears twice is taken once.
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

/// Quotes and braces are those of JSON that nobody took apart; spaces are columns of a table.
fn is_of_uuid(byte: u8) -> bool {
    byte.is_ascii_graphic() && !br#""'`{}[],;"#.contains(&byte)
}

/// Takes out what stands there again.
pub fn each_once(uuids: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    uuids.into_iter().filter(|uuid| seen.insert(uuid.clone())).collect()
}
