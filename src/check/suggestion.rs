//! Which known name may have been meant.

/// The known name that is most like a word, if one is like it: at least half of its letters are right and in
/// their places, or one of the two is a part of the other. Case and punctuation do not count, so that
/// `Shutdown computer` is like `ShutdownComputer` and `command_line` like `commandLine`.
pub(super) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody types a longer name, and the time grows with the square of the length.
    const MAX_LENGTH: usize = 200;
    let word = letters(word);
    if word.is_empty() || word.len() > MAX_LENGTH {
        return None;
    }
    let scores = known.into_iter().map(|known| (score(&word, &letters(known)), known));
    let best = scores.reduce(|best, other| if other.0 > best.0 { other } else { best });
    best.filter(|(score, _)| *score >= 0.5).map(|(_, known)| known)
}

fn score(word: &str, known: &str) -> f64 {
    let (short, long) = if word.len() < known.len() { (word, known) } else { (known, word) };
    let is_part = short.len() >= 4 && long.contains(short);
    strsim::normalized_damerau_levenshtein(word, known).max(if is_part { 0.5 } else { 0.0 })
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
