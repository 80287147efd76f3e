//! Checks for every request before its method runs.

use prost_reflect::{DynamicMessage, ReflectMessage, Value};

use super::failure::Failure;
use super::faults::asked_by_id;
use crate::check::is_uuid_name;
use crate::descriptors::is_output_only;

/// Clears the fields that only the server sets (AIP-203), except those in the path. Fails if an identifier
/// asks for it.
pub(crate) fn prepare(request: &mut DynamicMessage, path: &[String]) -> Result<(), Failure> {
    prepare_at("", request, path)
}

fn prepare_at(at: &str, message: &mut DynamicMessage, path: &[String]) -> Result<(), Failure> {
    for field in message.descriptor().fields() {
        if !message.has_field(&field) {
            continue;
        }
        let name = format!("{at}{}", field.name());
        if is_output_only(&field) && !path.contains(&name) {
            message.clear_field(&field);
            continue;
        }
        let at = format!("{name}.");
        let is_id = is_uuid_name(field.name());
        for value in values_mut(message.get_field_mut(&field)) {
            match value {
                Value::Message(inner) => prepare_at(&at, inner, path)?,
                Value::String(id) if is_id => {
                    if let Some(status) = asked_by_id(id) {
                        return Err(status.into());
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Returns the single values of a field.
pub(crate) fn values_mut(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::List(values) => Box::new(values.iter_mut()),
        Value::Map(values) => Box::new(values.values_mut()),
        value => Box::new(std::iter::once(value)),
    }
}
