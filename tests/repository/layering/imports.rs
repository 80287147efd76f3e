//! Which names a text of Rust brings in by `use`.

use std::collections::BTreeSet;

/// A name that a `use` brings in.
pub struct Use {
    pub statement: String,
    pub is_public: bool,
    pub path: Vec<String>,
    pub name: String,
}

/// What the `use`s of a text bring in.
pub fn uses(text: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let line = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let before = text[line..at].trim();
        let Some(end) = text[at..].find(';').map(|end| at + end + 1) else { continue };
        if before.is_empty() || before.starts_with("pub") {
            let statement = text[line..end].to_owned();
            let mut paths = Vec::new();
            expand(&[], text[at + 4..end - 1].trim(), &mut paths);
            uses.extend(paths.into_iter().map(|(path, name)| Use {
                statement: statement.clone(),
                is_public: !before.is_empty(),
                path,
                name,
            }));
        }
    }
    uses
}

/// The paths of a tree of a `use`, each with the name that it gets.
fn expand(before: &[String], tree: &str, paths: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some((head, list)) = tree.split_once('{') {
        let head = head.split("::").map(str::trim).filter(|part| !part.is_empty());
        let before: Vec<_> = before.iter().cloned().chain(head.map(str::to_owned)).collect();
        let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
        let (mut depth, mut start) = (0, 0);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&before, &list[start..at], paths);
                    start = at + 1;
                }
                _ => {}
            }
        }
        expand(&before, &list[start..], paths);
    } else if !tree.is_empty() {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
        let parts = path.split("::").map(|part| part.trim().to_owned());
        let mut path: Vec<_> = before
            .iter()
            .cloned()
            .chain(parts.filter(|part| !part.is_empty() && part != "*"))
            .collect();
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let last = path.last().cloned().unwrap_or_default();
        paths.push((path, if name.is_empty() { last } else { name.trim().to_owned() }));
    }
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_word) && !text[at + word.len()..].starts_with(is_word)
    })
}

/// The text without comments.
pub fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines
        .map(|line| line.split_once(" // ").map_or(line, |(code, _)| code))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Returns the names after `crate::`, outside comments and documentation links.
pub fn known_to(text: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let code = code(text);
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split_once('}').map_or(list, |(list, _)| list);
                known.extend(list.split(',').map(first_name).filter(|name| !name.is_empty()));
            }
            None => drop(known.insert(first_name(rest))),
        }
    }
    known
}

fn first_name(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
