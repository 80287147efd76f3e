//! Finds a message type from user input.

use eset_protect::codegen::near;

use crate::failure::Failure;
use crate::text::short_name;

/// Returns the full name of the type that `name` means: a full name, or the unique last part of one.
pub fn find(name: &str, known: &[String]) -> Result<String, Failure> {
    let name = name.trim_start_matches('.');
    if known.iter().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let same: Vec<_> = known.iter().filter(|known| short_name(known) == name).collect();
    match same.as_slice() {
        [only] => return Ok((*only).clone()),
        [] => {}
        several => {
            let names: Vec<_> = several.iter().map(|name| name.as_str()).collect();
            return Err(Failure::Input(format!(
                "--type {name:?}: several types have that name: {}",
                names.join(", ")
            )));
        }
    }
    let near = near(name, known.iter().map(String::as_str));
    let near =
        if near.is_empty() { String::new() } else { format!("; near are {}", near.join(", ")) };
    Err(Failure::Input(format!(
        "--type {name:?}: expected a message type of this crate{near}; `convert --list` shows all"
    )))
}
