//! The members of a JSON object as text, before its type is known.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{context, unknown};

/// Members in their original order, with unique names.
#[derive(Default)]
pub(crate) struct Members {
    list: Vec<(String, Box<RawValue>)>,
    names: HashSet<String>,
}

impl Members {
    /// Reads the value of a member and adds it.
    pub(crate) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let json = unknown::read_raw(map)
            .map_err(|error| A::Error::custom(super::path::at_field(&name, &error)))?;
        context::note_buffered(json.get().len());
        self.add(name, json).map_err(A::Error::custom)
    }

    pub(crate) fn add(&mut self, name: String, json: Box<RawValue>) -> Result<(), String> {
        if !self.names.insert(name.clone()) {
            return Err(format!("the member `{name}` appears twice"));
        }
        self.list.push((name, json));
        Ok(())
    }

    /// Whether there are no members.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Iterates over the members in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.list.iter().map(|(name, json)| (name.as_str(), &**json))
    }

    /// Whether there is a member of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Reads all remaining members.
    pub(crate) fn read_rest<'de, A: MapAccess<'de>>(
        &mut self,
        map: &mut A,
    ) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            self.read(name, map)?;
        }
        Ok(())
    }

    /// Returns the members as the text of a JSON object.
    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut json = String::from("{");
        for (name, value) in &self.list {
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&serde_json::to_string(name)?);
            json.push(':');
            json.push_str(value.get());
        }
        json.push('}');
        Ok(json)
    }

    /// Returns the members as a list, to keep them one by one.
    pub(crate) fn into_list(self) -> Vec<(String, Box<RawValue>)> {
        self.list
    }
}

/// Members of JSON that this crate wrote. They may be nested more deeply than unknown JSON from others: an
/// `Any` in an `Any`, with such JSON in the innermost.
pub(crate) struct OwnMembers(pub Members);

impl<'de> Deserialize<'de> for OwnMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor { is_own: true }).map(Self)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor { is_own: false })
    }
}

struct MembersVisitor {
    is_own: bool,
}

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        if !self.is_own {
            members.read_rest(&mut map)?;
        }
        while let Some((name, json)) = map.next_entry()? {
            members.add(name, json).map_err(A::Error::custom)?;
        }
        Ok(members)
    }
}
