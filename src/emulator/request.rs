//! Checks for every request before its method runs.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};

use super::check;
use super::failure::{Failure, Violations};
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

/// Notes what is wrong with a message as far as the descriptors tell: REQUIRED fields that are not set, and
/// texts that cannot be identifiers. `at` stands before the names of the fields. Of the messages inside,
/// REQUIRED fields count only if the message is `whole`: a filter or a patch has some fields only.
pub(crate) fn note(at: &str, message: &DynamicMessage, whole: bool, violations: &mut Violations) {
    for field in message.descriptor().fields() {
        let name = format!("{at}{}", field.name());
        if !message.has_field(&field) {
            let is_needed = (whole || at.is_empty()) && is_required(&field);
            match is_needed {
                true if is_uuid(&field) && !field.is_list() => {
                    check::note_id(violations, &name, "");
                }
                true => violations.add(name, "must be set"),
                false => {}
            }
            continue;
        }
        let mut note_value = |name: &str, value: &Value| match value {
            Value::Message(inner) => note(&format!("{name}."), inner, whole, violations),
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
    let name = field.name();
    field.kind() == Kind::String
        && (name == "uuid" || name.ends_with("_uuid") || name.ends_with("_uuids"))
}

/// Returns the single values of a field.
pub(crate) fn values_mut(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::List(values) => Box::new(values.iter_mut()),
        Value::Map(values) => Box::new(values.values_mut()),
        value => Box::new(std::iter::once(value)),
    }
}
