//! Detects repeated page tokens.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Hashes of the page tokens of one list so far.
///
/// A cycle is detected before its first page is requested again, so no page is ever listed twice. Brent's
/// algorithm would need no memory but detects a cycle only after one round, when its items have been returned
/// again. A hash takes 8 bytes per page of up to 1000 items, which is negligible.
///
/// The probability that two different tokens have the same hash, and a valid list is refused, is one in 10^11
/// lists of 10,000 pages. The hashes have a random key, so nobody can provoke it.
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
