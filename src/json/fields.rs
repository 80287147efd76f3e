//! The functions that generated code calls for each field.
//!
//! The reading functions take the place of the field in its message, and whether it has occurred: a field that appears
//! twice, in any spelling, is an error (as the protobuf conformance suite requires).

use std::mem;

use serde_json::Result;

use super::codec::{Codec, read_nullable};
use super::compact::Compact;
use super::parser::Object;
use super::unknown::skip_misfit;
use super::{context, path};

/// Reads the value of a field, and returns whether there is one: `null` is none, and neither is a misfit that is kept.
#[inline]
fn read_value<C: Codec>(
    object: &mut Object<'_, '_>,
    name: &str,
    value: &mut C::Value,
) -> Result<bool> {
    let (start, mark) = (object.value().at(), context::mark(C::PRESERVES));
    match read_nullable::<C>(object.value(), value) {
        Ok(is_value) => {
            context::prefix(C::PRESERVES, mark, &name);
            Ok(is_value)
        }
        Err(error) => {
            *value = C::Value::default();
            skip_misfit(object, start, C::PRESERVES.then_some(mark), name, &error)?;
            Ok(false)
        }
    }
}

fn begin(has_occurred: &mut bool, name: &'static str) -> Result<()> {
    match mem::replace(has_occurred, true) {
        false => Ok(()),
        true => Err(path::twice(name)),
    }
}

/// Reads a field without presence, such as a list or map; `null` is its default.
pub fn read_singular<C: Codec>(
    object: &mut Object<'_, '_>,
    name: &'static str,
    has_occurred: &mut bool,
    value: &mut C::Value,
) -> Result<()> {
    begin(has_occurred, name)?;
    read_value::<C>(object, name, value)?;
    Ok(())
}

/// Reads a field with presence; `null` leaves it unset.
pub fn read_optional<C: Codec>(
    object: &mut Object<'_, '_>,
    name: &'static str,
    has_occurred: &mut bool,
    slot: &mut Option<C::Value>,
) -> Result<()> {
    begin(has_occurred, name)?;
    if !read_value::<C>(object, name, slot.insert(C::Value::default()))? {
        *slot = None;
    }
    Ok(())
}

/// Reads a member of a oneof; `null` leaves it unset.
pub fn read_oneof<C: Codec, O>(
    object: &mut Object<'_, '_>,
    name: &'static str,
    has_occurred: &mut bool,
    slot: &mut Option<O>,
    variant: fn(C::Value) -> O,
) -> Result<()> {
    begin(has_occurred, name)?;
    let mut value = C::Value::default();
    if !read_value::<C>(object, name, &mut value)? {
        return Ok(());
    }
    if slot.is_some() {
        return Err(path::at_field(name, &"another member of the same oneof is set"));
    }
    *slot = Some(variant(value));
    Ok(())
}

/// Writes a field.
pub fn write_field<C: Codec>(
    json: &mut Compact,
    name: &'static str,
    value: &C::Value,
) -> Result<()> {
    json.field(name);
    C::write(value, json).map_err(|error| path::at_field(name, &error))
}
