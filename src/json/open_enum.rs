//! Enums that stay open: a value that the schema does not have survives.

use std::fmt;
use std::marker::PhantomData;

use pbjson_types::NullValue;
use serde::Serializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::codec::Codec;
use super::number::{IntegerVisitor, is_json_number, shortened};
use super::{context, unknown};

/// A protobuf enum. Generated for every enum of the crate.
pub trait Enumeration {
    /// The full name, such as `eset.dotnod.automation.v1.TaskRunStatus`.
    const FULL_NAME: &'static str;

    /// The names and their numbers. A number may have several names; the first one is written.
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

/// An enum field, which is its name in JSON.
#[derive(Debug)]
pub struct Open<E>(PhantomData<E>);

impl<E: Enumeration> Codec for Open<E> {
    type Value = i32;
    const PRESERVES: bool = true;

    fn write<S: Serializer>(value: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(name) = E::name(*value) {
            return serializer.serialize_str(name);
        }
        match context::enum_names().and_then(|names| names.name(E::FULL_NAME, *value)) {
            Some(name) => serializer.serialize_str(&name),
            None => serializer.serialize_i32(*value),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        deserializer.deserialize_any(OpenVisitor::<E>(PhantomData))
    }
}

/// `google.protobuf.NullValue`, whose only value is `null`.
#[derive(Debug)]
pub enum Null {}

impl Codec for Null {
    type Value = i32;
    const PRESERVES: bool = true;

    fn null() -> Option<i32> {
        Some(NullValue::NullValue.into())
    }

    fn write<S: Serializer>(value: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        match NullValue::try_from(*value) {
            Ok(NullValue::NullValue) => serializer.serialize_unit(),
            Err(_) => Open::<NullValue>::write(value, serializer),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        Open::<NullValue>::read(deserializer)
    }
}

impl Enumeration for NullValue {
    const FULL_NAME: &'static str = "google.protobuf.NullValue";

    const VALUES: &'static [(&'static str, i32)] = &[("NULL_VALUE", 0)];
}

/// Returns the number that a field holds for an enum name that the schema does not have:
/// `i32::MIN | FNV-1a-32(name)`. It is negative, so it never equals the number of another value, and is the
/// same in every process and every release. See [`protojson`](crate::protojson#enum-names).
///
/// ```
/// assert_eq!(eset_protect::protojson::unrecognized_enum_number("TASK_RUN_STATUS_PAUSED"), -627712484);
/// ```
pub fn unrecognized_enum_number(name: &str) -> i32 {
    // FNV-1a with 32 bits: public, tiny and the same everywhere.
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    i32::MIN | hash.cast_signed()
}

/// Whether a number represents this name of an enum, or was assigned to it after a collision.
pub(crate) fn stands_for(number: i32, name: &str) -> bool {
    /// The maximum distance of a number assigned after a collision. No names of ESET's collide so far.
    const TRIES: i32 = 16;
    let distance = number.wrapping_sub(unrecognized_enum_number(name)) & i32::MAX;
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
        // No name starts like a number, so this is a number written as a string.
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
        let number = unrecognized_enum_number(name);
        Ok(context::enum_names().map_or(number, |names| names.remember(E::FULL_NAME, name, number)))
    }
}
