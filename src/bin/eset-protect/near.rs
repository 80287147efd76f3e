//! Names that may have been meant.

use crate::text::short_name;

/// The number of names to show.
const MAX: usize = 5;

/// The most likely first.
pub fn near<'a>(name: &str, known: &'a [String]) -> Vec<&'a str> {
    // Anything long enough to be slow is not a name.
    if name.len() > 200 {
        return Vec::new();
    }
    let wanted = short_name(name).to_lowercase();
    let mut found: Vec<_> = known
        .iter()
        .filter_map(|known| {
            let candidate = short_name(known).to_lowercase();
            let distance = strsim::osa_distance(&wanted, &candidate);
            let contains = wanted.len() > 3 && candidate.contains(&wanted);
            (contains || distance * 3 <= wanted.len()).then_some((distance, known.as_str()))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().take(MAX).map(|(_, name)| name).collect()
}
