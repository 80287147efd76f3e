//! One of many calls.

/// One of many calls.
#[derive(Debug)]
pub struct Item<Q> {
    /// What a person calls it: a uuid, or where the request stood.
    pub name: String,
    /// The line that asks for it again.
    pub line: String,
    pub request: Q,
}
