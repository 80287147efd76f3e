//! The functions that generated code calls for each field.
//!
//! The reading functions take the slot of the field, which is `None` until the field occurs, so that a field
//! that appears twice, in any spelling, is an error (as the protobuf conformance suite requires).

use serde::de::Error as _;
use serde_json::{Error, Result};

use super::codec::{Codec, read_nullable};
use super::compact::Compact;
use super::parser::Object;
use super::unknown::skip_misfit;
use super::{context, path};

/// Reads the value of a field; `None` for `null`, and for a misfit that is kept.
#[inline]
fn read_value<C: Codec>(object: &mut Object<'_, '_>, name: &str) -> Result<Option<C::Value>> {
    let (start, mark) = (object.value().at(), context::mark(C::PRESERVES));
    let value = match read_nullable::<C>(object.value()) {
        Ok(value) => value,
        Err(error) => {
            skip_misfit(object, start, C::PRESERVES.then_some(mark), name, &error)?;
            return Ok(None);
        }
    };
    context::prefix(C::PRESERVES, mark, &name);
    Ok(value)
}

fn unset<T>(slot: &Option<T>, name: &'static str) -> Result<()> {
    match slot {
        None => Ok(()),
        Some(_) => Err(Error::duplicate_field(name)),
    }
}

/// Reads a field without presence, such as a list or map; `null` is its default.
pub fn read_singular<C: Codec<Value: Default>>(
    object: &mut Object<'_, '_>,
    name: &'static str,
    slot: &mut Option<C::Value>,
) -> Result<()> {
    unset(slot, name)?;
    *slot = Some(read_value::<C>(object, name)?.unwrap_or_default());
    Ok(())
}

/// Reads a field with presence; `null` leaves it unset.
pub fn read_optional<C: Codec>(
    object: &mut Object<'_, '_>,
    name: &'static str,
    slot: &mut Option<Option<C::Value>>,
) -> Result<()> {
    unset(slot, name)?;
    *slot = Some(read_value::<C>(object, name)?);
    Ok(())
}

/// The members of a oneof that occurred.
#[derive(Debug)]
pub struct Oneof<O> {
    /// The one that is set, by name.
    set: Option<(&'static str, O)>,
    /// The names of those that are `null`.
    nulls: Vec<&'static str>,
}

impl<O> Oneof<O> {
    /// Returns the member that is set.
    pub fn into_value(self) -> Option<O> {
        self.set.map(|(_, value)| value)
    }
}

/// Reads a member of a oneof; `null` leaves it unset.
pub fn read_oneof<C: Codec, O>(
    object: &mut Object<'_, '_>,
    name: &'static str,
    slot: &mut Option<Oneof<O>>,
    variant: fn(C::Value) -> O,
) -> Result<()> {
    let oneof = slot.get_or_insert_with(|| Oneof { set: None, nulls: Vec::new() });
    let is_set = |(set, _): &(&str, O)| *set == name;
    if oneof.nulls.contains(&name) || oneof.set.as_ref().is_some_and(is_set) {
        return Err(Error::duplicate_field(name));
    }
    match read_value::<C>(object, name)? {
        None => oneof.nulls.push(name),
        Some(_) if oneof.set.is_some() => {
            return Err(path::at_field(name, &"another member of the same oneof is set"));
        }
        Some(value) => oneof.set = Some((name, variant(value))),
    }
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
