//! Suggests the known name that was probably meant.

/// Returns the known name most similar to a word, if any is similar enough: a normalized Damerau-Levenshtein
/// similarity of at least 0.5, or one is part of the other. Ignores case and punctuation, so that `Shutdown
/// computer` matches `ShutdownComputer` and `command_line` matches `commandLine`.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer input is no typing error, and the running time is quadratic in the length.
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
