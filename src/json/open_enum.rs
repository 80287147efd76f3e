//! Enums that stay open: a value that the schema does not have survives.
//!
//! ESET adds enum values at any time and calls that compatible ([facts](crate::facts#compatibility)). A
//! number without a name is written as the number. A name without a number is kept: the field holds a
//! number made from the name, which is written as that name again. So on the gRPC wire, which has only
//! numbers, it is an unrecognised number, never another value's.
//!
//! The number is `i32::MIN | FNV-1a-32(name)`: negative, so that it meets no real value, and the
//! same in every process and every release. Should two names of one enum ever meet in one process,
//! the second takes the next free number.
//!
//! Names are remembered for the life of the process, 4,096 of at most 128 bytes; beyond that
//! an unknown name is written as its number. Inside an `Any` the name also travels with the bytes
//! (see [`Any`](crate::wkt::Any)), so that another process finds it too.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{LazyLock, PoisonError, RwLock};

use serde::Serializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::codec::Codec;
use super::number::{IntegerVisitor, is_json_number, shortened};
use super::{context, unknown};

const MAX_NAMES: usize = 4096;
const MAX_NAME_BYTES: usize = 128;

/// A protobuf enum. Generated for every enum of the crate.
pub trait Enumeration {
    /// The full name, such as `eset.dotnod.automation.v1.TaskRunStatus`.
    const FULL_NAME: &'static str;

    /// The names with their numbers. A number may have several names, of which the first counts.
    const VALUES: &'static [(&'static str, i32)];

    /// The name of a number.
    fn name(number: i32) -> Option<&'static str> {
        Self::VALUES.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
    }

    /// The number of a name.
    fn number(name: &str) -> Option<i32> {
        Self::VALUES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }
}

/// An enum field: its name in JSON.
#[derive(Debug)]
pub struct Open<E>(PhantomData<E>);

impl<E: Enumeration> Codec for Open<E> {
    type Value = i32;
    const PRESERVES: bool = true;

    fn write<S: Serializer>(value: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(name) = E::name(*value) {
            return serializer.serialize_str(name);
        }
        match NAMES.name(E::FULL_NAME, *value) {
            Some(name) => serializer.serialize_str(&name),
            None => serializer.serialize_i32(*value),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        deserializer.deserialize_any(OpenVisitor::<E>(PhantomData))
    }
}

/// The number that stands for a name that this version of the schema does not have: in JSON the
/// field is written as that name again. See the [module](self) for how it is made.
///
/// ```
/// use eset_protect::protojson::open_enum::unrecognised;
///
/// assert_eq!(unrecognised("eset.dotnod.automation.v1.TaskRunStatus", "TASK_RUN_STATUS_PAUSED"),
///     unrecognised("eset.dotnod.automation.v1.TaskRunStatus", "TASK_RUN_STATUS_PAUSED"));
/// ```
pub fn unrecognised(enum_name: &'static str, value_name: &str) -> i32 {
    NAMES.number(enum_name, value_name)
}

/// Whether a number stands for this name of an enum, or for one that met its number taken.
pub(crate) fn stands_for(number: i32, value_name: &str) -> bool {
    /// How many numbers further a name is looked for: no two of ESET's have met so far.
    const TRIES: i32 = 16;
    let distance = number.wrapping_sub(fnv1a(value_name).cast_signed()) & i32::MAX;
    number < 0 && distance < TRIES
}

struct OpenVisitor<E>(PhantomData<E>);

impl<'de, E: Enumeration> Visitor<'de> for OpenVisitor<E> {
    type Value = i32;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the name or the number of a value of {}", E::FULL_NAME)
    }

    fn visit_i64<Er: serde::de::Error>(self, value: i64) -> Result<i32, Er> {
        IntegerVisitor(PhantomData).visit_i64(value)
    }

    fn visit_u64<Er: serde::de::Error>(self, value: u64) -> Result<i32, Er> {
        IntegerVisitor(PhantomData).visit_u64(value)
    }

    fn visit_f64<Er: serde::de::Error>(self, value: f64) -> Result<i32, Er> {
        IntegerVisitor(PhantomData).visit_f64(value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<i32, A::Error> {
        IntegerVisitor(PhantomData).visit_map(map)
    }

    fn visit_str<Er: serde::de::Error>(self, name: &str) -> Result<i32, Er> {
        if let Some(number) = E::number(name) {
            return Ok(number);
        }
        // No name begins like a number, so this is a number that someone wrote as a string.
        if is_json_number(name) {
            return IntegerVisitor(PhantomData).visit_str(name);
        }
        if context::is_strict() {
            let name = shortened(name);
            return Err(Er::custom(format!("{} has no value \"{name}\"", E::FULL_NAME)));
        }
        if context::is_collecting() {
            context::keep(String::new(), unknown::raw_string(name).map_err(Er::custom)?);
        }
        Ok(NAMES.number(E::FULL_NAME, name))
    }
}

/// The names that were met, by the numbers that stand for them.
#[derive(Default)]
struct Names(RwLock<HashMap<(&'static str, i32), Box<str>>>);

static NAMES: LazyLock<Names> = LazyLock::new(Names::default);

impl Names {
    fn name(&self, enum_name: &'static str, number: i32) -> Option<Box<str>> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.get(&(enum_name, number)).cloned()
    }

    fn number(&self, enum_name: &'static str, name: &str) -> i32 {
        let mut number = i32::MIN | fnv1a(name).cast_signed();
        if name.len() > MAX_NAME_BYTES {
            return number;
        }
        loop {
            match self.name(enum_name, number) {
                Some(known) if *known == *name => return number,
                Some(_) => number = i32::MIN | number.wrapping_add(1),
                None => break,
            }
        }
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if names.len() < MAX_NAMES {
            // Another thread may have been faster with another name, which keeps its number.
            names.entry((enum_name, number)).or_insert_with(|| name.into());
        }
        number
    }
}

/// FNV-1a with 32 bits: public, tiny and the same everywhere.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
