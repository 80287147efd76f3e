//! What to act on: UUIDs as arguments, or one per line of a file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, value_parser};

use super::file::{read_text, wrong};
use crate::failure::Failure;

/// How many characters of a line that is no UUID are shown.
const MAX_SHOWN: usize = 60;

/// The flag of commands that read nothing but UUIDs.
pub const FROM: &str = "from";

/// Returns that flag.
pub fn from() -> Arg {
    Arg::new(FROM)
        .long(FROM)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Read them from this file (at most 64 MiB), one per line; `-` is standard input")
}

/// Returns the file of that flag, if the command has it and it is given.
pub fn file(matches: &ArgMatches) -> Option<&Path> {
    matches.try_get_one::<PathBuf>(FROM).ok().flatten().map(PathBuf::as_path)
}

/// Returns the UUIDs, those of `file` if there is one, without duplicates. `are_names`: names may stand for them.
pub fn uuids(
    uuids: Vec<String>,
    file: Option<&Path>,
    are_names: bool,
) -> Result<Vec<String>, Failure> {
    match (file, &*uuids) {
        (Some(path), _) => read("--from", path, are_names),
        (None, [uuid]) if uuid == "-" => read("UUID", Path::new("-"), are_names),
        (None, all) if all.iter().any(|uuid| uuid == "-") => Err(Failure::Input(
            "-: cannot be combined with other arguments, since it reads standard input".to_owned(),
        )),
        (None, [path]) if path.starts_with('@') => {
            let file = path.trim_start_matches('@');
            Err(Failure::Input(format!("{path}: expected --from {file} for a file")))
        }
        (None, _) => Ok(each_once(uuids)),
    }
}

/// Reads the UUIDs in the file named by a flag; `-` is standard input. Ignores empty lines.
fn read(flag: &str, path: &Path, are_names: bool) -> Result<Vec<String>, Failure> {
    let text = read_text(flag, path)?;
    let mut uuids = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let uuid = line.trim();
        if !are_names && !uuid.bytes().all(is_of_uuid) {
            let expected = "expected a UUID and nothing else, as `--output name` prints them";
            let mut found: String = uuid.chars().take(MAX_SHOWN).collect();
            if found.len() < uuid.len() {
                found.push('…');
            }
            return Err(wrong(flag, path, &format!("line {number}: {expected}, found {found}")));
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
fn each_once(uuids: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    uuids.into_iter().filter(|uuid| seen.insert(uuid.clone())).collect()
}
