//! Puts unknown members back in their places in JSON text.
//!
//! Works one level at a time and only along the paths of the members, so that numbers stay exact and nothing
//! else is parsed.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde_json::Error;

use super::any_members::TYPE;
use super::compact::Compact;
use super::depth::check_depth;
use super::escapes::check_escapes;
use super::members::Members;
use super::parser::Parser;
use super::{context, path};
use crate::proto::eset_protect::v1::UnknownMember;

/// The maximum number of segments in a pointer: more than the nesting that serde_json accepts. Patches are
/// nested as deeply, and bytes from the wire may contain anything.
const MAX_SEGMENTS: usize = 128;

/// The maximum number of places in a patch, each of which takes up to a kilobyte.
const MAX_PLACES: usize = 250_000;

/// The values to insert at a place and below it.
#[derive(Default)]
pub(crate) struct Patch {
    value: Option<String>,
    below: BTreeMap<String, Self>,
}

impl Patch {
    /// Creates a patch from JSON Pointers and JSON texts.
    pub(crate) fn new(members: &[UnknownMember]) -> Result<Self, String> {
        let mut patch = Self::default();
        let mut places = 0;
        for UnknownMember { pointer, json } in members {
            serde_json::from_str::<IgnoredAny>(json)
                .map_err(|error| error.to_string())
                .and_then(|_| patch.insert(pointer, json.trim_ascii(), &mut places))
                .map_err(|error| format!("the unknown member `{pointer}` is broken: {error}"))?;
        }
        Ok(patch)
    }

    /// Adds a value at a JSON Pointer.
    fn insert(&mut self, pointer: &str, value: &str, places: &mut usize) -> Result<(), String> {
        let segments = pointer.strip_prefix('/').ok_or("a JSON Pointer begins with a slash")?;
        if segments == TYPE {
            return Err(format!("`{TYPE}` is not a member"));
        }
        if segments.split('/').count() > MAX_SEGMENTS {
            return Err(format!("a JSON Pointer has {MAX_SEGMENTS} segments at most"));
        }
        check_depth(value)?;
        check_escapes(value)?;
        let mut place = self;
        for segment in segments.split('/') {
            let name = segment.replace("~1", "/").replace("~0", "~");
            place = place.below.entry(name).or_insert_with(|| {
                *places += 1;
                Self::default()
            });
        }
        if *places > MAX_PLACES {
            return Err(format!("the unknown members have more than {MAX_PLACES} places"));
        }
        place.value = Some(value.to_owned());
        Ok(())
    }

    /// Returns the value to insert here.
    pub(crate) fn value(&self) -> Option<&str> {
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

    /// Writes a JSON value with the patch applied.
    fn write(&self, value: &str, json: &mut Compact) -> Result<(), Error> {
        match (&self.value, value.as_bytes().first()) {
            (None, Some(b'{')) => self.write_object(value, None, json),
            (None, Some(b'[')) => self.write_list(value, json),
            (stored, _) => {
                json.raw(stored.as_deref().filter(|_| is_replaceable(value)).unwrap_or(value));
                // A later writer may have replaced an object by a plain value.
                self.below.keys().try_for_each(|name| without_place(name))
            }
        }
    }

    /// Writes a JSON object with the patch applied, and with the `@type` at its start.
    pub(crate) fn write_object(
        &self,
        object: &str,
        type_url: Option<&str>,
        json: &mut Compact,
    ) -> Result<(), Error> {
        let members = Members::parse_own(object)?;
        json.object(|json| {
            if let Some(type_url) = type_url {
                json.field(TYPE);
                json.string(type_url);
            }
            for (name, value) in members.iter() {
                json.member(name);
                match self.below.get(name) {
                    Some(patch) => {
                        let written = patch.write(value, json);
                        written.map_err(|error| path::at_field(name, &error))?;
                    }
                    None => json.raw(value),
                }
            }
            for (name, patch) in self.below.iter().filter(|(name, _)| !members.contains(name)) {
                if let Some(value) = &patch.value {
                    json.member(name);
                    json.raw(value);
                }
                let placed = patch.below.keys().try_for_each(|name| without_place(name));
                placed.map_err(|error| path::at_field(name, &error))?;
            }
            Ok(())
        })
    }

    fn write_list(&self, list: &str, json: &mut Compact) -> Result<(), Error> {
        let written = |json: &mut Compact| {
            Parser::new(list).read(|parser| {
                parser.list(&"a list", |list| {
                    let mut index = 0_usize;
                    let mut missing: BTreeSet<_> = self.below.keys().map(String::as_str).collect();
                    while let Some(parser) = list.next()? {
                        let value = parser.value()?;
                        json.element();
                        let segment = index.to_string();
                        match self.below.get(&segment) {
                            Some(patch) => {
                                let written = patch.write(value, json);
                                written.map_err(|error| path::at_index(index, &error))?;
                            }
                            None => json.raw(value),
                        }
                        missing.remove(&*segment);
                        index += 1;
                    }
                    missing.into_iter().try_for_each(without_place)
                })
            })
        };
        json.list(written)
    }
}

/// Refuses to lose an unknown member whose parent is missing, unless the writer is lenient.
fn without_place(name: &str) -> Result<(), Error> {
    match context::writes_strictly() {
        true => Err(path::at_field(name, &"an unknown member has no place here")),
        false => Ok(()),
    }
}

/// Whether a stored value replaces the message's own value: only if that is the number of an unknown enum
/// name, or a default that is written because the caller asked for defaults. Any other value was set later.
fn is_replaceable(json: &str) -> bool {
    let is_unrecognised = json.parse::<i32>().is_ok_and(i32::is_negative);
    is_unrecognised || matches!(json, "null" | "false" | "0" | "\"0\"" | "\"\"" | "[]" | "{}")
}
