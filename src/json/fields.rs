//! The functions that generated code calls for each field.
//!
//! The reading functions take the slot of the field, which is `None` until the field occurs, so that a field
//! that appears twice, in any spelling, is an error (as the protobuf conformance suite requires).

use std::marker::PhantomData;

use serde::de::{Error, MapAccess};
use serde::ser::SerializeMap;

use super::codec::{As, Codec, Nullable};
use super::compact::FieldName;
use super::{context, path};

/// Reads the value of a field; `None` for `null`.
fn read_value<'de, C, A>(map: &mut A, name: &'static str) -> Result<Option<C::Value>, A::Error>
where
    C: Codec,
    A: MapAccess<'de>,
{
    let mark = context::mark::<C>();
    match map.next_value_seed(Nullable::<C>(PhantomData)) {
        Ok(value) => {
            context::prefix::<C>(mark, &name);
            Ok(value)
        }
        Err(error) => Err(A::Error::custom(path::at_field(name, &error))),
    }
}

fn unset<T, E: Error>(slot: &Option<T>, name: &'static str) -> Result<(), E> {
    match slot {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(name)),
    }
}

/// Reads a field without presence, such as a list or map; `null` is its default.
pub fn read_singular<'de, C, A>(
    map: &mut A,
    name: &'static str,
    slot: &mut Option<C::Value>,
) -> Result<(), A::Error>
where
    C: Codec<Value: Default>,
    A: MapAccess<'de>,
{
    unset(slot, name)?;
    *slot = Some(read_value::<C, A>(map, name)?.unwrap_or_default());
    Ok(())
}

/// Reads a field with presence; `null` leaves it unset.
pub fn read_optional<'de, C, A>(
    map: &mut A,
    name: &'static str,
    slot: &mut Option<Option<C::Value>>,
) -> Result<(), A::Error>
where
    C: Codec,
    A: MapAccess<'de>,
{
    unset(slot, name)?;
    *slot = Some(read_value::<C, A>(map, name)?);
    Ok(())
}

/// Reads a member of a oneof; `null` leaves it unset.
pub fn read_oneof<'de, C, O, A>(
    map: &mut A,
    name: &'static str,
    slot: &mut Option<O>,
    variant: fn(C::Value) -> O,
) -> Result<(), A::Error>
where
    C: Codec,
    A: MapAccess<'de>,
{
    let Some(value) = read_value::<C, A>(map, name)? else { return Ok(()) };
    if slot.is_some() {
        let problem = "another member of the same oneof is set";
        return Err(A::Error::custom(path::at_field(name, &problem)));
    }
    *slot = Some(variant(value));
    Ok(())
}

/// Writes a field.
pub fn write_field<C, S>(
    message: &mut S,
    name: &'static str,
    value: &C::Value,
) -> Result<(), S::Error>
where
    C: Codec,
    S: SerializeMap,
{
    message
        .serialize_entry(&FieldName(name), &As::<C>(value))
        .map_err(|error| serde::ser::Error::custom(path::at_field(name, &error)))
}
