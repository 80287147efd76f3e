//! Suggests the known names that were probably meant.

/// The number of names that are shown.
const MAX: usize = 5;

/// Returns the known name most similar to a word, if any is similar enough.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(word, known).into_iter().next()
}

/// Returns the known names that are similar enough to a word, the most similar first: a normalized
/// Damerau-Levenshtein similarity of at least 0.5, or one is part of the other. Of names with dots, the last part
/// is enough. Ignores case and punctuation, so that `Shutdown computer` matches `ShutdownComputer` and
/// `command_line` matches `commandLine`.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // Longer input is no typing error, and the running time is quadratic in the length.
    const MAX_LENGTH: usize = 200;
    let (whole, last) = (letters(word), letters(last_part(word)));
    if whole.is_empty() || whole.len() > MAX_LENGTH {
        return Vec::new();
    }
    let similarity = |known: &str| {
        let of_whole = score(&whole, &letters(known));
        if known.contains('.') {
            of_whole.max(score(&last, &letters(last_part(known))))
        } else {
            of_whole
        }
    };
    let mut scores: Vec<_> = known.into_iter().map(|known| (similarity(known), known)).collect();
    scores.retain(|(score, _)| *score >= 0.5);
    // Equal ones stay in their order.
    scores.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    // A difference in case or punctuation alone leaves no doubt.
    let exact = scores.iter().filter(|(score, _)| *score >= 1.0).count();
    scores.truncate(if exact == 0 { MAX } else { exact.min(MAX) });
    scores.into_iter().map(|(_, known)| known).collect()
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn score(word: &str, known: &str) -> f64 {
    let (short, long) = if word.len() < known.len() { (word, known) } else { (known, word) };
    let is_part = short.len() >= 4 && long.contains(short);
    strsim::normalized_damerau_levenshtein(word, known).max(if is_part { 0.5 } else { 0.0 })
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
