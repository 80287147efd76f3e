//! The members of a JSON object as text, before its type is known.

use std::collections::HashSet;

use serde::de::Error as _;
use serde_json::{Error, Result};

use super::any_members::{TYPE, TYPE_TWICE};
use super::compact::Compact;
use super::parser::{Object, Parser};
use super::{context, path, unknown};

/// Members in their original order, with unique names.
#[derive(Default)]
pub(crate) struct Members {
    list: Vec<(String, String)>,
    names: HashSet<String>,
}

impl Members {
    /// Parses an object.
    pub(crate) fn parse(json: &str) -> Result<Self> {
        Self::parse_with(json, Self::read_rest)
    }

    /// Parses an object that this crate wrote. It may be nested more deeply than unknown JSON from others: an `Any`
    /// in an `Any`, with such JSON in the innermost.
    pub(crate) fn parse_own(json: &str) -> Result<Self> {
        Self::parse_with(json, |members, object| {
            while let Some(name) = object.next_name()? {
                let json = object.value().value()?.to_owned();
                members.add(name.into_owned(), json)?;
            }
            Ok(())
        })
    }

    fn parse_with(
        json: &str,
        read: impl FnOnce(&mut Self, &mut Object<'_, '_>) -> Result<()>,
    ) -> Result<Self> {
        let mut members = Self::default();
        Parser::new(json)
            .read(|parser| parser.object(&"an object", |object| read(&mut members, object)))?;
        Ok(members)
    }

    /// Reads the value of a member and adds it.
    pub(crate) fn read(&mut self, name: &str, object: &mut Object<'_, '_>) -> Result<()> {
        let Some(json) = unknown::read_member(object, name)? else { return Ok(()) };
        context::note_buffered(json.len());
        self.add(name.to_owned(), json.to_owned())
    }

    pub(crate) fn add(&mut self, name: String, json: String) -> Result<()> {
        if !self.names.insert(name.clone()) {
            return Err(path::twice(&name));
        }
        self.list.push((name, json));
        Ok(())
    }

    /// Whether there are no members.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Iterates over the members in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list.iter().map(|(name, json)| (name.as_str(), json.as_str()))
    }

    /// Whether there is a member of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Reads the remaining members of an `Any`, after its `@type`.
    pub(crate) fn of_any(object: &mut Object<'_, '_>) -> Result<Self> {
        let mut members = Self::default();
        members.read_rest_of_any(object)?;
        Ok(members)
    }

    /// Reads all remaining members of an `Any`, after its `@type`.
    pub(crate) fn read_rest_of_any(&mut self, object: &mut Object<'_, '_>) -> Result<()> {
        self.read_rest(object)?;
        match self.contains(TYPE) {
            true => Err(Error::custom(TYPE_TWICE)),
            false => Ok(()),
        }
    }

    /// Reads all remaining members.
    fn read_rest(&mut self, object: &mut Object<'_, '_>) -> Result<()> {
        while let Some(name) = object.next_name()? {
            self.read(&name, object)?;
        }
        Ok(())
    }

    /// Writes the members.
    pub(crate) fn write(&self, json: &mut Compact) {
        for (name, value) in &self.list {
            json.member(name);
            json.raw(value);
        }
    }

    /// Returns the members as the text of a JSON object.
    pub(crate) fn to_json(&self) -> String {
        let mut json = Compact::default();
        json.object(|json| self.write(json));
        json.into_string()
    }

    /// Returns the members as a list, to keep them one by one.
    pub(crate) fn into_list(self) -> Vec<(String, String)> {
        self.list
    }
}
