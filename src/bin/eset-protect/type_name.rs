//! Finds a message type by what a person types.

use crate::failure::Failure;
use crate::text::short_name;

/// How many similar names to show.
const SUGGESTIONS: usize = 5;

/// The full name of the type that `name` means: a full name, or the last part of exactly one.
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
    let near = near(name, known);
    let near =
        if near.is_empty() { String::new() } else { format!("; near are {}", near.join(", ")) };
    Err(Failure::Input(format!(
        "--type {name:?}: expected a message type of this crate{near}; `convert --list` shows all"
    )))
}

/// Names that a person may have meant, the likeliest first.
fn near<'a>(name: &str, known: &'a [String]) -> Vec<&'a str> {
    // A name is short; what is long enough to be slow is none.
    if name.len() > 200 {
        return Vec::new();
    }
    let wanted = short_name(name).to_lowercase();
    let mut found: Vec<_> = known
        .iter()
        .filter_map(|known| {
            let candidate = short_name(known).to_lowercase();
            let distance = distance(&wanted, &candidate);
            let contains = wanted.len() > 3 && candidate.contains(&wanted);
            (contains || distance * 3 <= wanted.len()).then_some((distance, known.as_str()))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect()
}

/// How many letters to insert, remove or replace to get from one text to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut next = vec![index + 1];
        let mut last = index + 1;
        // Each step: replace (or keep) from the diagonal, insert from the left, remove from above.
        for (pair, other) in row.windows(2).zip(&to) {
            let [diagonal, above] = pair else { continue };
            let replaced = diagonal + usize::from(letter != *other);
            last = replaced.min(above + 1).min(last + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
