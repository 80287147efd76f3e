//! What every request is checked for before its method sees it.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};

use super::check;
use super::failure::{Failure, Violations};
use crate::descriptors::{is_output_only, is_required};

/// Clears what only the server sets (AIP-203), but for the fields of the path, and fails if an identifier
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

/// Notes REQUIRED fields that are not set and what cannot be an identifier. `at` stands before the names.
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
        let value = message.get_field(&field);
        match &*value {
            Value::Message(inner) => note(&format!("{name}."), inner, violations),
            Value::String(id) if is_uuid(&field) => check::note_id(violations, &name, id),
            Value::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    let name = format!("{name}[{index}]");
                    match value {
                        Value::Message(inner) => note(&format!("{name}."), inner, violations),
                        Value::String(id) if is_uuid(&field) => {
                            check::note_id(violations, &name, id);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// ESET's identifiers are fields with such names.
fn is_uuid(field: &FieldDescriptor) -> bool {
    let name = field.name();
    field.kind() == Kind::String
        && (name == "uuid" || name.ends_with("_uuid") || name.ends_with("_uuids"))
}

fn values_mut(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::List(values) => Box::new(values.iter_mut()),
        Value::Map(values) => Box::new(values.values_mut()),
        value => Box::new(std::iter::once(value)),
    }
}
