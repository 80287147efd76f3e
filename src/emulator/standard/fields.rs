//! The fields that only the server sets.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};

use crate::descriptors::is_output_only;
use crate::wkt::Timestamp;

/// Sets what the server sets in a new resource, and in the messages inside it, as far as the name says
/// what it is: times of creation and change, and the version.
pub(super) fn server_values(resource: &mut DynamicMessage, now: Timestamp) {
    for field in resource.descriptor().fields().filter(is_output_only) {
        let value = match field.name() {
            "create_time" | "update_time" => timestamp(&field, now),
            "version_id" if field.kind() == Kind::Uint64 => Some(Value::U64(1)),
            _ => None,
        };
        if let Some(value) = value {
            resource.set_field(&field, value);
        }
    }
    for (_, value) in resource.fields_mut() {
        match value {
            Value::Message(message) => server_values(message, now),
            Value::List(values) => values
                .iter_mut()
                .filter_map(Value::as_message_mut)
                .for_each(|message| server_values(message, now)),
            Value::Map(values) => values
                .values_mut()
                .filter_map(Value::as_message_mut)
                .for_each(|message| server_values(message, now)),
            _ => {}
        }
    }
}

/// A time as the value of a field; `None` if the field holds something else.
pub(super) fn timestamp(field: &FieldDescriptor, time: Timestamp) -> Option<Value> {
    match field.kind() {
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            let mut value = DynamicMessage::new(message);
            value.transcode_from(&time).ok()?;
            Some(Value::Message(value))
        }
        _ => None,
    }
}

/// The text of a field.
pub(super) fn text(message: &DynamicMessage, field: &FieldDescriptor) -> String {
    message.get_field(field).as_str().unwrap_or_default().to_owned()
}
