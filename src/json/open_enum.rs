//! Enums that stay open: a value that the schema does not have survives.

use std::marker::PhantomData;

use pbjson_types::NullValue;
use serde::de::Error as _;
use serde_json::{Error, Result};

use super::codec::Codec;
use super::compact::Compact;
use super::context;
use super::number::{is_json_number, shortened};
use super::numbers::{integer_from_text, read_integer};
use super::parser::Parser;

/// A protobuf enum. Generated for every enum of the crate.
pub trait Enumeration {
    /// The full name, such as `eset.dotnod.automation.v1.TaskRunStatus`.
    const FULL_NAME: &'static str;

    /// The number that `null` means, if it is one: that of `google.protobuf.NullValue`.
    const NULL: Option<i32> = None;

    /// The names and their numbers. A number may have several names; the first one is written.
    const VALUES: &'static [(&'static str, i32)];

    /// The name of a number.
    fn name(number: i32) -> Option<&'static str> {
        Self::VALUES.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
    }
}

/// An enum field, which is its name in JSON.
#[derive(Debug)]
pub struct Open<E>(PhantomData<E>);

impl<E: Enumeration> Codec for Open<E> {
    type Value = i32;
    const PRESERVES: bool = true;

    fn null() -> Option<i32> {
        E::NULL
    }

    fn write(value: &i32, json: &mut Compact) -> Result<()> {
        match E::name(*value) {
            Some(_) if E::NULL == Some(*value) => json.null(),
            Some(name) => json.plain(name),
            None => write_unnamed(E::FULL_NAME, *value, json),
        }
        Ok(())
    }

    fn read(parser: &mut Parser<'_>, value: &mut i32) -> Result<()> {
        *value = read_open(E::FULL_NAME, E::VALUES, parser)?;
        Ok(())
    }
}

impl Enumeration for NullValue {
    const FULL_NAME: &'static str = "google.protobuf.NullValue";
    const NULL: Option<i32> = Some(0);
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

#[cold]
fn write_unnamed(full_name: &'static str, value: i32, json: &mut Compact) {
    match context::enum_names().and_then(|names| names.name(full_name, value)) {
        Some(name) => json.string(&name),
        None => json.integer(value),
    }
}

fn read_open(
    full_name: &'static str,
    values: &[(&str, i32)],
    parser: &mut Parser<'_>,
) -> Result<i32> {
    match parser.peek() {
        Some(b'"') => {}
        Some(b'-' | b'0'..=b'9') => return read_integer(parser),
        _ => {
            let expected = format_args!("the name or the number of a value of {full_name}");
            return Err(parser.invalid_type(&expected));
        }
    }
    let name = parser.string(&"a name")?;
    if let Some((_, number)) = values.iter().find(|(known, _)| *known == name) {
        return Ok(*number);
    }
    // No name starts like a number, so this is a number written as a string.
    if is_json_number(&name) {
        return integer_from_text(&name).map_err(Error::custom);
    }
    if context::is_strict() {
        let name = shortened(&name);
        return Err(Error::custom(format_args!("{full_name} has no value \"{name}\"")));
    }
    if context::is_collecting() {
        context::keep(String::new(), serde_json::to_string(&name)?);
    }
    let number = unrecognized_enum_number(&name);
    Ok(context::enum_names().map_or(number, |names| names.remember(full_name, &name, number)))
}
