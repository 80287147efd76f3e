//! Puts unknown members back in their places in JSON text.
//!
//! Works one level at a time and only along the paths of the members, so that numbers stay exact and nothing
//! else is parsed.

use std::collections::BTreeMap;

use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use super::any_members::TYPE;
use super::depth::check_depth;
use super::members::OwnMembers;
use super::raw::{self, Json};

/// The maximum number of segments in a pointer: more than the nesting that serde_json accepts. Patches are
/// nested as deeply, and bytes from the wire may contain anything.
const MAX_SEGMENTS: usize = 128;

/// The values to insert at a place and below it.
#[derive(Default)]
pub(crate) struct Patch {
    value: Option<Box<RawValue>>,
    below: BTreeMap<String, Self>,
}

impl Patch {
    /// Creates a patch from JSON Pointers and JSON texts.
    pub(crate) fn new<'a>(
        members: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, String> {
        let mut patch = Self::default();
        for (pointer, json) in members {
            RawValue::from_string(json.to_owned())
                .map_err(|error| error.to_string())
                .and_then(|value| patch.insert(pointer, value))
                .map_err(|error| format!("the unknown member `{pointer}` is broken: {error}"))?;
        }
        Ok(patch)
    }

    /// Adds a value at a JSON Pointer.
    fn insert(&mut self, pointer: &str, value: Box<RawValue>) -> Result<(), String> {
        let segments = pointer.strip_prefix('/').ok_or("a JSON Pointer begins with a slash")?;
        if segments == TYPE {
            return Err(format!("`{TYPE}` is not a member"));
        }
        if segments.split('/').count() > MAX_SEGMENTS {
            return Err(format!("a JSON Pointer has {MAX_SEGMENTS} segments at most"));
        }
        check_depth(value.get())?;
        raw::check_escapes(value.get())?;
        let mut place = self;
        for segment in segments.split('/') {
            let name = segment.replace("~1", "/").replace("~0", "~");
            place = place.below.entry(name).or_default();
        }
        place.value = Some(value);
        Ok(())
    }

    /// Returns the value to insert here.
    pub(crate) fn value(&self) -> Option<&RawValue> {
        self.value.as_deref()
    }

    /// Iterates over the patches below, by name or index.
    pub(crate) fn below(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.below.iter().map(|(name, patch)| (name.as_str(), patch))
    }

    /// Returns the patch below a name or index.
    pub(crate) fn at(&self, name: &str) -> Option<&Self> {
        self.below.get(name)
    }
}

/// A JSON value with a patch to apply.
pub(crate) struct Patched<'a> {
    /// The JSON text.
    pub json: &'a RawValue,
    /// What to put where.
    pub patch: &'a Patch,
    /// The `@type` with which the object starts.
    pub type_url: Option<&'a str>,
}

impl Serialize for Patched<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(value) = &self.patch.value {
            let value = if is_replaceable(self.json.get()) { value } else { self.json };
            return Json(value).serialize(serializer);
        }
        match self.json.get().as_bytes().first() {
            Some(b'{') => self.object(serializer),
            Some(b'[') if !self.patch.below.is_empty() => self.list(serializer),
            // There is no place for the values below: a later writer replaced the object by a plain value.
            _ => Json(self.json).serialize(serializer),
        }
    }
}

/// Whether a stored value replaces the message's own value: only if that is the number of an unknown enum
/// name, or a default that is written because the caller asked for defaults. Any other value was set later.
fn is_replaceable(json: &str) -> bool {
    let is_unrecognised = json.parse::<i32>().is_ok_and(i32::is_negative);
    is_unrecognised || matches!(json, "null" | "false" | "0" | "\"0\"" | "\"\"" | "[]" | "{}")
}

impl Patched<'_> {
    fn object<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let OwnMembers(members) =
            serde_json::from_str(self.json.get()).map_err(S::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        if let Some(type_url) = self.type_url {
            map.serialize_entry(TYPE, type_url)?;
        }
        for (name, json) in members.iter() {
            match self.patch.below.get(name) {
                Some(patch) => {
                    map.serialize_entry(name, &Patched { json, patch, type_url: None })?;
                }
                None => map.serialize_entry(name, &Json(json))?,
            }
        }
        for (name, patch) in &self.patch.below {
            if let Some(value) = &patch.value
                && !members.contains(name)
            {
                map.serialize_entry(name, &Json(value))?;
            }
        }
        map.end()
    }

    fn list<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let elements: Vec<Box<RawValue>> =
            serde_json::from_str(self.json.get()).map_err(S::Error::custom)?;
        let mut list = serializer.serialize_seq(Some(elements.len()))?;
        for (index, json) in elements.iter().enumerate() {
            match self.patch.below.get(&index.to_string()) {
                Some(patch) => {
                    list.serialize_element(&Patched { json, patch, type_url: None })?;
                }
                None => list.serialize_element(&Json(json))?,
            }
        }
        list.end()
    }
}
