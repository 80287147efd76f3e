//! The fields that only the server sets.

use std::borrow::Cow;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};

use crate::descriptors::{from_xml, is_output_only};
use crate::emulator::failure::Failure;
use crate::emulator::request::values_mut;
use crate::wkt::Timestamp;

/// Sets what the server sets in a new resource, and in the messages inside it, as far as the name says
/// what it is: times of creation and change, and the version.
pub(super) fn server_values(resource: &mut DynamicMessage, now: Timestamp) {
    stamp(resource, &["create_time", "update_time"], now);
    for (_, value) in resource.fields_mut() {
        for inner in values_mut(value).filter_map(Value::as_message_mut) {
            server_values(inner, now);
        }
    }
}

/// Counts a change of a resource and says when it was.
pub(super) fn touch(resource: &mut DynamicMessage, now: Timestamp) {
    stamp(resource, &["update_time"], now);
}

/// Sets these times, and counts the version up, which is 1 in a new resource.
fn stamp(resource: &mut DynamicMessage, times: &[&str], now: Timestamp) {
    for field in resource.descriptor().fields().filter(is_output_only) {
        let value = match field.name() {
            name if times.contains(&name) => timestamp(&field, now),
            "version_id" => {
                resource.get_field(&field).as_u64().map(|it| Value::U64(it.saturating_add(1)))
            }
            _ => None,
        };
        if let Some(value) = value {
            resource.set_field(&field, value);
        }
    }
}

/// A time as the value of a field; `None` if the field holds something else.
fn timestamp(field: &FieldDescriptor, time: Timestamp) -> Option<Value> {
    match field.kind() {
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            let mut value = DynamicMessage::new(message);
            value.transcode_from(&time).ok()?;
            Some(Value::Message(value))
        }
        _ => None,
    }
}

/// Sets the fields that the server takes from XML in the same resource, and refuses invalid XML
/// (FACTS.md#incident-management).
pub(super) fn values_from_xml(resource: &mut DynamicMessage) -> Result<(), Failure> {
    for field in resource.descriptor().fields() {
        let Some(source) = from_xml(&field) else { continue };
        let mut names = source.split('/');
        let name = names.next().unwrap_or_default();
        let Some(xml) = resource.get_field_by_name(name).map(Cow::into_owned) else { continue };
        let document = roxmltree::Document::parse(xml.as_str().unwrap_or_default())
            .map_err(|error| Failure::invalid(name, format!("expected XML: {error}")))?;
        let mut element = Some(document.root_element());
        for name in names {
            element = element.and_then(|it| it.children().find(|it| it.has_tag_name(name)));
        }
        let text = element.and_then(|it| it.text()).unwrap_or_default();
        resource.set_field(&field, Value::String(text.to_owned()));
    }
    Ok(())
}
