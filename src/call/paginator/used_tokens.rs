//! Which page tokens have been used.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// The page tokens of one list so far, by their hashes.
///
/// A cycle is seen before its first page is asked for again, so no page is ever listed twice. Brent's
/// algorithm would need no memory, but sees a cycle only after going round it, when its items have been
/// handed out once more. A hash is 8 bytes a page of up to 1000 items: nothing beside the items.
///
/// That two different tokens have the same hash, and a sound list is refused, happens once in 10^11 lists
/// of 10,000 pages; the hashes are keyed at random, so nobody can bring it about.
#[derive(Default)]
pub(super) struct UsedTokens {
    keys: RandomState,
    hashes: HashSet<u64>,
}

impl UsedTokens {
    /// Notes a token; `false` if it was there.
    pub(super) fn insert(&mut self, token: &str) -> bool {
        self.hashes.insert(self.keys.hash_one(token))
    }
}
