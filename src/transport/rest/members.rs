//! The members of a JSON object from a server, for errors and logins.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// The members of an object, each by itself: one that cannot be read hides no other. Of equal names the last counts, and
/// `null` is none.
#[derive(Default)]
pub(crate) struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// Reads an object; `None` if the text is none.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns the JSON of a member.
    pub(super) fn json(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|json| json.get()).filter(|json| *json != "null")
    }

    /// Returns the value of a member.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.json(name)?).ok()
    }
}
