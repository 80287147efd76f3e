//! Checks for every request before its method runs.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};

use super::check;
use super::failure::{Failure, Violations};
use crate::check::is_uuid_name;
use crate::descriptors::{is_output_only, is_required};

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
        let is_id = is_uuid(&field);
        for value in values_mut(message.get_field_mut(&field)) {
            match value {
                Value::Message(inner) => prepare_at(&at, inner, path)?,
                Value::String(id) if is_id => check::asks_to_fail(id)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Notes what is wrong with a changed resource as far as the descriptors tell: REQUIRED fields that are not
/// set, and texts that cannot be identifiers. `at` is the prefix for the names of the fields.
pub(crate) fn note(at: &str, message: &DynamicMessage, violations: &mut Violations) {
    for field in message.descriptor().fields() {
        let name = format!("{at}{}", field.name());
        if !message.has_field(&field) {
            match is_required(&field) {
                true if is_uuid(&field) && !field.is_list() => {
                    check::note_id(violations, &name, "");
                }
                true => violations.add(name, "must be set"),
                false => {}
            }
            continue;
        }
        let mut note_value = |name: &str, value: &Value| match value {
            Value::Message(inner) => note(&format!("{name}."), inner, violations),
            Value::String(id) if is_uuid(&field) => check::note_id(violations, name, id),
            _ => {}
        };
        match &*message.get_field(&field) {
            Value::List(values) => values
                .iter()
                .enumerate()
                .for_each(|(index, value)| note_value(&format!("{name}[{index}]"), value)),
            value => note_value(&name, value),
        }
    }
}

/// Whether a field is an identifier by ESET's naming.
fn is_uuid(field: &FieldDescriptor) -> bool {
    field.kind() == Kind::String && is_uuid_name(field.name())
}

/// Returns the single values of a field.
pub(crate) fn values_mut(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::List(values) => Box::new(values.iter_mut()),
        Value::Map(values) => Box::new(values.values_mut()),
        value => Box::new(std::iter::once(value)),
    }
}
