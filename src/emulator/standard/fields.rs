//! The fields that only the server sets.

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};

use crate::descriptors::is_output_only;
use crate::emulator::environment::Environment;
use crate::emulator::request::values_mut;
use crate::wkt::Timestamp;

/// Sets what the server sets in a new resource, and in the messages inside it, as far as the name says
/// what it is: times of creation and change, and the version.
pub(super) fn server_values(resource: &mut DynamicMessage, environment: &Environment) {
    let descriptor = resource.descriptor();
    for field in descriptor.fields().filter(is_output_only) {
        let value = match field.name() {
            "create_time" | "update_time" => timestamp(&field, environment.now()),
            "version_id" if field.kind() == Kind::Uint64 => Some(Value::U64(1)),
            _ => None,
        };
        if let Some(value) = value {
            resource.set_field(&field, value);
        }
    }
    for (_, value) in resource.fields_mut() {
        for inner in values_mut(value).filter_map(Value::as_message_mut) {
            server_values(inner, environment);
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

/// The fields at a path of names, such as `device.uuid`, in messages of a type; `None` if there is none.
pub(super) fn path(message: &MessageDescriptor, names: &str) -> Option<Vec<FieldDescriptor>> {
    let mut message = Some(message.clone());
    let mut fields = Vec::new();
    for name in names.split('.') {
        let field = message.as_ref()?.get_field_by_name(name)?;
        message = field.kind().as_message().cloned();
        fields.push(field);
    }
    Some(fields)
}

/// Whether one of the values at a path fits. Messages that are not set have no values.
pub(super) fn at(
    message: &DynamicMessage,
    path: &[FieldDescriptor],
    fits: &mut dyn FnMut(&Value) -> bool,
) -> bool {
    let Some((field, rest)) = path.split_first() else { return false };
    if field.kind().as_message().is_some() && !message.has_field(field) {
        return false;
    }
    let value = message.get_field(field);
    let mut one = |value: &Value| match value {
        Value::Message(inner) if !rest.is_empty() => at(inner, rest, fits),
        value => fits(value),
    };
    match &*value {
        Value::List(values) => values.iter().any(one),
        value => one(value),
    }
}
