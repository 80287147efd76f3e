//! Checks for every request before its method runs.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage, Value};

use super::failure::Failure;
use super::faults::asked_by_id;
use crate::check::is_uuid_name;
use crate::descriptors::is_output_only;

/// Returns the full names of the fields that only the server sets (AIP-203), in a message and in those inside it.
pub(crate) fn output_only(message: &MessageDescriptor) -> BTreeSet<String> {
    let (mut found, mut seen, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![message.clone()]);
    while let Some(message) = next.pop() {
        if !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        for field in message.fields() {
            if is_output_only(&field) {
                found.insert(field.full_name().to_owned());
            }
            if let Kind::Message(inner) = field.kind() {
                next.push(inner);
            }
        }
    }
    found
}

/// Clears the fields that only the server sets, except those in the path, in a message that is `at` a path in the
/// request. Fails if an identifier asks for it.
pub(crate) fn prepare(
    at: &str,
    message: &mut DynamicMessage,
    path: &[String],
    output_only: &BTreeSet<String>,
) -> Result<(), Failure> {
    for field in message.descriptor().fields() {
        if !message.has_field(&field) {
            continue;
        }
        let name = || format!("{at}{}", field.name());
        if output_only.contains(field.full_name()) && !path.contains(&name()) {
            message.clear_field(&field);
            continue;
        }
        let is_id = is_uuid_name(field.name());
        for value in values_mut(message.get_field_mut(&field)) {
            match value {
                Value::Message(inner) => {
                    prepare(&format!("{}.", name()), inner, path, output_only)?;
                }
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
